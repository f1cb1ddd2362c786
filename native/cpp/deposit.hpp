// Echoes of points, for W elements at once: each lane has a line of its own, so neighbouring points that fall on one sample
// do not wait for each other. Points come sorted by depth: what is written to stays in the first cache.
#pragma once
#include "vector.hpp"

namespace {

// Four weights of a cubic spline of unit area, at samples -1, 0, 1, 2 of the whole part.
struct Spline { F w0, w1, w2, w3; };
inline Spline spline(F share, F weight) {
    const F rest = 1.f - share, sixth = weight * (1 / 6.f), s2 = share * share, r2 = rest * rest;
    return {sixth * r2 * rest, sixth * (4.f - 3.f * s2 * (2.f - share)), sixth * (4.f - 3.f * r2 * (2.f - rest)), sixth * s2 * share};
}

template <bool soft, bool line>
void deposit(const Deposit& d, const float* sorted, float* lines, F x, int stride) {
    constexpr int SOME = 32;    // points, in two steps: more of them are under way at once in each than in one long step
    alignas(64) float weights[SOME * W], moments[SOME * W];
    const float nearest = float(d.nearest * d.nearest);
    const F per_meter = all(float(d.rate / d.speed)), end = all(float(d.n_samples + 2 * MARGIN - 4));
    const I begins = lanes() * stride - 1;
    for (long from = 0; from < d.n_scatterers; from += SOME) {
        const int n = d.n_scatterers - from < SOME ? int(d.n_scatterers - from) : SOME;
        for (int i = 0; i < n; i++, sorted += SORTED) {
            const F across = x - sorted[0];
            const F r2 = upper(across * across + sorted[1], all(nearest)), per_r2 = 1.f / r2, r = root(r2), per_r = r * per_r2;
            const F square = across * across * per_r2, fourth = square * square;
            F odd = all(d.directivity[0]), even = all(d.directivity[1]);     // two short chains instead of a long one
            for (int c = 2; c < d.degree; c += 2) {
                odd = odd * fourth + d.directivity[c];
                even = even * fourth + d.directivity[c + 1];
            }
            F weight = (odd * square + even) * (sorted[3] * (line ? root(per_r) : per_r));
            if constexpr (soft) weight *= sorted[2] * per_r;
            store(weights + i * W, weight);
            store(moments + i * W, lower(upper(r * per_meter + sorted[4], all(1.f)), end));
        }
        for (int i = 0; i < n; i++) {
            const F at = load(moments + i * W);
            const I whole = to_int(at);
            const Spline w = spline(at - to_float(whole), load(weights + i * W));
            add_fours(lines, whole + begins, w.w0, w.w1, w.w2, w.w3);
        }
    }
}

void deposit_tile(const Deposit& d, const float* sorted, int tile, float* scratch) {
    const int stride = d.n_samples + 2 * MARGIN, first = tile * W;
    for (long i = 0; i < long(W) * stride; i++) scratch[i] = 0;
    F x{};
    for (int i = 0; i < W; i++) x[i] = float(d.x[first + i < d.elements ? first + i : d.elements - 1]);
    (d.soft ? d.line ? deposit<true, true> : deposit<true, false> : d.line ? deposit<false, true> : deposit<false, false>)(d, sorted, scratch, x, stride);
    for (int i = 0; i < W && first + i < d.elements; i++)
        for (int t = 0; t < d.n_samples; t++) d.out[long(first + i) * d.n_samples + t] = scratch[long(i) * stride + MARGIN + t];
}

}  // namespace
