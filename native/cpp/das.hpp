// Delay and sum without gathers. A slab is W consecutive depths of every column. They need few consecutive
// samples, so they are permuted inside registers; what depends on distance and depth alone (the receive path beyond the
// depth, and its carrier phasor) is tabled once a slab and shared by all columns and transmits where distances repeat;
// the transmit's phase is turned after the sum over elements.
#pragma once
#include "vector.hpp"

namespace {

// Which elements a column's pixels hear: the row from which each does, and for each slab the elements of any and of every row.
void das_plan(const DelayAndSum& d, int column, int* tops, short* bounds) {
    int* top = tops + long(column) * d.elements;
    const double x = d.lateral[column], wide = 2 * d.f_number;
    int middle = 0;
    for (int j = 1; j < d.elements; j++)
        if (__builtin_fabs(x - d.x[j]) < __builtin_fabs(x - d.x[middle])) middle = j;
    for (int side = -1; side <= 1; side += 2) {
        int row = 0;
        for (int j = side < 0 ? middle : middle + 1; j >= 0 && j < d.elements; j += side) {
            const double reach = wide * __builtin_fabs(x - d.x[j]);
            while (row < d.rows && !(reach <= d.below[row])) row++;
            top[j] = row;
        }
    }
    const int slabs = (d.rows + W - 1) / W;
    int first = middle + 1, last = middle, full_first = middle + 1, full_last = middle;
    for (int slab = 0; slab < slabs; slab++) {
        const int row = slab * W, end = (row + W < d.rows ? row + W : d.rows) - 1;
        while (first > 0 && top[first - 1] <= end) first--;
        while (last + 1 < d.elements && top[last + 1] <= end) last++;
        while (full_first > 0 && top[full_first - 1] <= row) full_first--;
        while (full_last + 1 < d.elements && top[full_last + 1] <= row) full_last++;
        short* b = bounds + (long(slab) * d.columns + column) * 4;
        b[0] = short(first), b[1] = short(full_first), b[2] = short(full_last + 1), b[3] = short(last + 1);
    }
}

struct Sums {
    F rr{}, ii{}, ri{}, ir{}, taps{};   // real echo times real phasor, and so on
};

struct Slab {
    const DelayAndSum& d;
    int row, rows;              // the first, and how many are real
    F z, k_z, lane_row;         // depth below the elements [m], the same [samples], row numbers
    float samples, turns;       // a meter
    F last;                     // sample, from which on there is no pair
};

// Receive path beyond the depth [samples], and its carrier phasor. d - z = dx^2 / (d + z) keeps what float32 would lose.
inline void receive(const Slab& s, float dx, float* t) {
    const F beyond = dx * dx / (root(dx * dx + s.z * s.z) + s.z + 1e-12f);
    const F u = turned(beyond * s.turns);
    store(t, beyond * s.samples);
    store(t + W, cosine_of_turn(u));
    store(t + 2 * W, sine_of_turn(u));
}

template <Reach reach, bool checked>
inline void hear(const Slab& s, const float* pr, const float* pi, const float* t, F moment, I active, Sums& sum) {
    F at = moment + load(t), wr = load(t + W), wi = load(t + 2 * W);
    if constexpr (checked) {
        const I inside = active & (at >= 0.f) & (at < s.last);
        wr = where(inside, wr), wi = where(inside, wi);
        sum.taps += where(inside, all(1.f));
        at = lower(upper(at, F{}), s.last);
    }
    I q = to_int(at);
    const F share = at - to_float(q);
    int base = 0;
    if constexpr (reach != FAR) {
        base = q[0];
        q -= base;
    }
    F r0{}, r1{}, i0{}, i1{};
    pairs<reach>(pr + base, q, r0, r1);
    pairs<reach>(pi + base, q, i0, i1);
    const F vr = share * (r1 - r0) + r0, vi = share * (i1 - i0) + i0;
    sum.rr += vr * wr;
    sum.ii += vi * wi;
    sum.ri += vr * wi;
    sum.ir += vi * wr;
}

// All elements of one pixel column of a slab. Tables of element j lie at table + 3 W * (shared ? place[j] : j).
template <Reach reach, bool checked, bool shared>
void column_sum(const Slab& s, const float* re, const float* im, long stride, const short* bound, const int* top, const int* place, const float* table, F moment, Sums& total) {
    Sums sum;
    long at = bound[0] * stride;
    int j = bound[0];
    auto tables = [&](int j) { return table + (shared ? long(place[j]) : long(j)) * 3 * W; };
    auto edge = [&](int end) {
        for (; j < end; j++, at += stride) hear<reach, true>(s, re + at, im + at, tables(j), moment, (I)(s.lane_row >= float(top[j])), sum);
    };
    edge(bound[1] < bound[3] ? bound[1] : bound[3]);
    for (; j < bound[2]; j++, at += stride) hear<reach, checked>(s, re + at, im + at, tables(j), moment, all(-1), sum);
    edge(bound[3]);
    if constexpr (!checked)
        if (bound[2] > bound[1]) sum.taps += float(bound[2] - bound[1]);
    total = sum;
}

using ColumnSum = void (*)(const Slab&, const float*, const float*, long, const short*, const int*, const int*, const float*, F, Sums&);

void das_slab(const DelayAndSum& d, const float* re, const float* im, int stride, const int* tops, const short* bounds, int slab, float* scratch) {
    static constexpr ColumnSum sums[4][2][2] = {
        {{column_sum<NARROW, false, false>, column_sum<NARROW, false, true>}, {column_sum<NARROW, true, false>, column_sum<NARROW, true, true>}},
        {{column_sum<WIDE, false, false>, column_sum<WIDE, false, true>}, {column_sum<WIDE, true, false>, column_sum<WIDE, true, true>}},
        {{column_sum<BROAD, false, false>, column_sum<BROAD, false, true>}, {column_sum<BROAD, true, false>, column_sum<BROAD, true, true>}},
        {{}, {column_sum<FAR, true, false>, column_sum<FAR, true, true>}},
    };
    const double samples = d.rate / d.speed, turns = d.frequency / d.speed;
    Slab s{d, slab * W, 0, {}, {}, {}, float(samples), float(turns), all(float(d.n_samples - 1))};
    s.rows = d.rows - s.row < W ? d.rows - s.row : W;
    for (int i = 0; i < W; i++) {
        const double z = d.below[s.row + (i < s.rows ? i : s.rows - 1)];
        s.z[i] = float(z > 0 ? z : 0);
        s.k_z[i] = float((z > 0 ? z : 0) * samples);
        s.lane_row[i] = float(s.row + i);
    }
    const int some = das_block(d, W);                                   // columns taken together
    float *total = scratch, *passing = total + 3L * W * d.columns;      // real, imaginary, taps of each column
    float *line = passing + 2L * W * das_kept(d, W), *table = line + 2L * (some + W);
    for (long i = 0; i < 3L * W * d.columns; i += W) store(total + i, F{});
    const float deepest = s.z[W - 1], widest = deepest / float(2 * d.f_number);
    const float latest = __builtin_sqrtf(widest * widest + deepest * deepest) * s.samples - s.k_z[W - 1];   // beyond the depth, at most
    if (d.place)
        for (int m = 0; m < d.n_distances && d.distances[m] * 2 * d.f_number <= double(deepest) * 1.000001 + 1e-7; m++)
            receive(s, float(d.distances[m]), table + long(m) * 3 * W);

    // When a transmit passes some columns [samples], and its carrier then and once the depth was travelled, less that of two
    // ways [turns]: row by row as they lie in memory, turned so that the depths of a column lie side by side.
    auto pass = [&](int a, int x0, int n, float* to) {
        float *wave = line, *turn = line + some + W;
        for (int i = 0; i < W; i++) {
            if (i >= s.rows) {                                          // rows that are not there go on steadily
                for (int ix = 0; ix < n; ix++) to[2L * W * ix + i] = to[2L * W * ix + i - 1] + 0.25f, to[2L * W * ix + W + i] = 0;
                continue;
            }
            const double* t = d.arrival + (long(a) * d.rows + s.row + i) * d.columns + x0;
            const double rest = d.starts[a] + (d.below[s.row + i] - 2 * d.axial[s.row + i]) / d.speed;
            int ix = 0;
            for (; ix + W / 2 <= n; ix += W / 2) {
                const D moment = load(t + ix), turns = (moment + rest) * d.frequency;
                store_as_floats(wave + ix, moment * d.rate);
                store_as_floats(turn + ix, turns - nearest(turns));
            }
            for (; ix < n; ix++) {
                const double turns = (t[ix] + rest) * d.frequency;
                wave[ix] = float(t[ix] * d.rate);
                turn[ix] = float(turns - nearest(D{} + turns)[0]);
            }
            for (ix = 0; ix < n; ix++) to[2L * W * ix + i] = wave[ix], to[2L * W * ix + W + i] = turn[ix];
        }
    };
    auto one = [&](int a, int ix, const float* w) {
        const short* bound = bounds + (long(slab) * d.columns + ix) * 4;
        if (bound[3] <= bound[0]) return;
        const F moment = load(w) + s.k_z, rise = load(w + 1) - load(w);
        const float begin = moment[0], end = moment[W - 1], spread = end - begin, ulps = 1e-6f * (__builtin_fabsf(end) + latest + 1);
        // Samples must rise from row to row by more than rounding takes back, or the window cannot start at the first.
        const bool rises = every((I)(rise > ulps) | last_lane());
        const int reach = !rises || !(spread <= 4 * W - 2.5f) ? FAR : spread <= W - 2.5f ? NARROW : spread <= 2 * W - 2.5f ? WIDE : BROAD;
        const bool inside = begin >= 0 && end + latest + 2 * ulps < float(d.n_samples - 1) && reach != FAR;
        Sums sum;
        const long at = long(a) * d.elements * stride;
        sums[reach][!inside][d.place != nullptr](s, re + at, im + at, stride, bound, tops + long(ix) * d.elements, d.place ? d.place + long(ix) * d.elements : nullptr, table, moment, sum);
        const F turn = load(w + W), pc = cosine_of_turn(turn), ps = sine_of_turn(turn), real = sum.rr - sum.ii, imaginary = sum.ri + sum.ir;
        float* to = total + 3L * W * ix;
        store(to, load(to) + real * pc - imaginary * ps);
        store(to + W, load(to + W) + real * ps + imaginary * pc);
        store(to + 2 * W, load(to + 2 * W) + sum.taps);
    };
    for (int x0 = 0; x0 < d.columns; x0 += some) {
        const int n = d.columns - x0 < some ? d.columns - x0 : some;
        if (d.place) {
            for (int a = 0; a < d.transmits; a++) {                     // outermost: one transmit's samples of a slab stay at hand
                pass(a, x0, n, passing);
                for (int ix = 0; ix < n; ix++) one(a, x0 + ix, passing + 2L * W * ix);
            }
            continue;
        }
        for (int a = 0; a < d.transmits; a++) pass(a, x0, n, passing + 2L * W * n * a);
        for (int ix = 0; ix < n; ix++) {
            const short* bound = bounds + (long(slab) * d.columns + x0 + ix) * 4;
            for (int j = bound[0]; j < bound[3]; j++) receive(s, float(__builtin_fabs(d.lateral[x0 + ix] - d.x[j])), table + long(j) * 3 * W);
            for (int a = 0; a < d.transmits; a++) one(a, x0 + ix, passing + 2L * W * (long(n) * a + ix));
        }
    }
    for (int ix = 0; ix < d.columns; ix++) {
        float* to = total + 3L * W * ix;
        const F share = 1.f / upper(load(to + 2 * W), all(1.f));
        store(to, load(to) * share);
        store(to + W, load(to + W) * share);
    }
    for (int i = 0; i < s.rows; i++) {
        float* out = d.out + 2L * (s.row + i) * d.columns;
        for (int ix = 0; ix < d.columns; ix++) {
            out[2 * ix] = total[3L * W * ix + i];
            out[2 * ix + 1] = total[3L * W * ix + W + i];
        }
    }
}

}  // namespace
