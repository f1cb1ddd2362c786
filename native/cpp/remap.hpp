// One row (Kx) of the remap. Geometry in double precision, because phases of thousands of radians keep five digits only
// there; weights from a table at 1/250 of a step, six neighbours multiplied at once.
#pragma once
#include "vector.hpp"

namespace {

constexpr double TIE = 1e-9;    // of a period: the row in the middle falls to one side, as in the reference

void remap_row(const Remap& d, int row, float* scratch) {
    const int n = d.n_frequencies, padded = (n + W - 1) / W * W;
    float *place = scratch, *turns = place + padded, *half = turns + padded, *steep = half + padded, *per_kz = steep + padded;
    int* first = reinterpret_cast<int*>(per_kz + padded);
    float* out = d.out + 2L * row * n;
    const double lateral = d.lateral[row], columns = d.columns, per_repeat = 1 / d.repeats, per_step = 1 / d.step;
    constexpr double per_turn = 0.15915494309189535;
    alignas(64) double k_last[W];

    for (int j = 0; j < padded; j += W / 2) {
        D k;
        if (j + W / 2 <= n) {
            k = load(d.k + j);
        } else {
            for (int i = 0; i < W / 2; i++) k_last[i] = d.k[j + i < n ? j + i : n - 1];
            k = load(k_last);
        }
        const D slant = k * d.sine;
        D kx = lateral + slant;
        kx -= d.repeats * nearest(kx * per_repeat + TIE);
        const D ratio = kx / k, steepness = 1 - ratio * ratio;
        const D kz = k * root(select(steepness > d.least, steepness, D{} + 1.0));
        const D depth = -(kz + k * d.cosine);
        D at = depth * per_step - double(d.taps / 2 - 1);
        at -= columns * nearest(at / columns - 0.5);
        const D whole = nearest(at - 0.5), turn = ((kx - slant) * d.offset - depth * d.middle) * per_turn, sway = kx * (0.5 * d.width * per_turn);
        store_as_floats(place + j, at - whole);
        store_as_floats(turns + j, turn - nearest(turn));
        store_as_floats(half + j, sway);
        store_as_floats(steep + j, steepness);
        store_as_floats(per_kz + j, 1 / kz);
        for (int i = 0; i < W / 2; i++) first[j + i] = int(whole[i]);
    }

    const float* line = d.spectrum + 2L * row * d.columns;
    const int last = d.columns - WINDOW_TAPS;           // from where on the window runs over the end and begins anew
    float over[4 * WINDOW_TAPS];
    for (int i = 0; i < 2 * WINDOW_TAPS; i++) {
        const int c = (last + i) % d.columns;
        over[2 * i] = line[2 * c];
        over[2 * i + 1] = line[2 * c + 1];
    }
    const F grazing = all(float(d.least)), full = all(float(d.full));
    for (int j = 0; j < padded; j += W) {
        const F steepness = load(steep + j);
        const I travels = (I)(steepness > grazing);
        const int real = n - j < W ? n - j : W;
        int any = 0;
        for (int i = 0; i < W; i++) any |= travels[i];
        if (!any) {
            for (int i = 0; i < 2 * real; i++) out[2 * j + i] = 0;
            continue;
        }
        F pulse{};
        if (real == W) {
            pulse = load(d.pulse + j);
        } else {
            for (int i = 0; i < real; i++) pulse[i] = d.pulse[j + i];
        }
        const F sway = load(half + j), turn = load(turns + j);
        const I slight = (I)(size(sway) < 1e-6f);
        const F directivity = select(slight, all(1.f), sine_of_turn(turned(sway)) / (6.2831853f * select(slight, all(1.f), sway)));
        const F rise = lower(upper((steepness - grazing) / (full - grazing), F{}), all(1.f));
        const F scale = where(travels, pulse * directivity * load(per_kz + j) * (0.5f - 0.5f * cosine_of_turn(0.5f * rise)));
        const F between = lower(upper(load(place + j) * float(WINDOW_STEPS), F{}), all(float(WINDOW_STEPS)));
        const I step = to_int(between);
        alignas(64) float c[W], s[W], share[W], sums[2 * W];
        alignas(64) int weights[W];
        store(c, cosine_of_turn(turn) * scale);
        store(s, sine_of_turn(turn) * scale);
        store(share, between - to_float(step));
        store(weights, step * (2 * WINDOW_TAPS));
        for (int i = 0; i < W; i++) {
            int begin = first[j + i];
            begin += begin < 0 ? d.columns : begin >= d.columns ? -d.columns : 0;
            if (unsigned(begin) >= unsigned(d.columns)) begin = 0;      // no number came out
            const float *from = begin <= last ? line + 2L * begin : over + 2 * (begin - last), *w = d.window + weights[i];
            const F part = all(share[i]);
            F sum{};
            for (int v = 0; v < 2 * WINDOW_TAPS; v += W) {
                const F a = load(w + v), b = load(w + 2 * WINDOW_TAPS + v);
                sum += (part * (b - a) + a) * load(from + v);
            }
            fold(sum, sums + 2 * i);
        }
        for (int i = 0; i < real; i++) {
            const float a = sums[2 * i], b = sums[2 * i + 1];
            out[2 * (j + i)] = a * c[i] - b * s[i];
            out[2 * (j + i) + 1] = a * s[i] + b * c[i];
        }
    }
}

}  // namespace
