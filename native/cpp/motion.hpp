// Where tissue was, or is: maps of the body one after another, in double precision, a vector of points at a time; contractions
// and the probe's pressure, which are rare, point by point.
// Each kind of map is the closed form of its class in insonate.simulation.motion, which is the reference.
#pragma once
#include <math.h>
#include "vector.hpp"

namespace {

enum Kind { DRAG, CONTRACTION, SLIDE, POOL, SLEEVE, WALL, CONTACT };
constexpr int SETTLING = 12;    // steps of the fixed point that inverts a displacement
constexpr int STATION = 7;      // numbers of a station: place along the tube, middle (2), radius, stretch (00, 01, 11)
constexpr double TAPER = 4e-3;  // beyond its last station a tube's motion fades over this [m]

constexpr int LANES = W / 2;    // of a vector of doubles

inline double dot(const double* a, const double* b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
inline D each(double v) { return D{} + v; }
inline D upper(D a, D b) { return select(a > b, a, b); }
inline bool any(L mask) {
    long long some = 0;
    for (int i = 0; i < LANES; i++) some |= mask[i];
    return some != 0;
}

// exp(x), relative error 1e-15; 0 below -700
inline D exp_of(D x) {
    constexpr double big = 6755399441055744.0;
    const D held = upper(x, each(-700)), shifted = held * 1.4426950408889634 + big, n = shifted - big;
    const D r = held - n * 0.693147180369123816490 - n * 1.90821492927058770002e-10;
    D p = each(1 / 479001600.);
    constexpr double terms[] = {1 / 39916800., 1 / 3628800., 1 / 362880., 1 / 40320., 1 / 5040., 1 / 720., 1 / 120., 1 / 24., 1 / 6., 0.5, 1, 1};
    for (double term : terms) p = p * r + term;
    return select(x < -700., D{}, (D)((L)p + ((L)shifted << 52)));
}

// The cube root of numbers that are not negative, relative error 1e-15: a guess from the bits, and three steps of Halley's
inline D cube_root(D x) {
    L bits{};
    for (int i = 0; i < LANES; i++) bits[i] = (long long)(unsigned(((L)x)[i] >> 32) / 3 + 715094163u) << 32;
    D t = (D)bits;
    for (int step = 0; step < 3; step++) {
        const D cube = t * t * t;
        t *= (cube + 2 * x) / (2 * cube + x);
    }
    return select(x > 1e-300, t, D{});
}

// u of a muscle that shortens, at a place.
inline void displaced(const Move& m, const double* at, double* u) {
    const double r[3] = {at[0] - m.p[0], at[1] - m.p[1], at[2] - m.p[2]}, *n = m.p + 3, amount = m.p[6], width2 = 2 * m.p[7] * m.p[7];
    const double square = dot(r, r), along = dot(r, n);
    const double beside = square - along * along, near = exp(-square / width2);
    const double in_line = -amount * along * (1 - beside / width2), outward = amount / 2 * (1 - 2 * along * along / width2);
    for (int i = 0; i < 3; i++) u[i] = near * (in_line * n[i] + outward * (r[i] - along * n[i]));
}

// u of tissue dragged; false where none of these places is near.
inline bool dragged(const Move& m, const D* at, D* u) {
    const double *n = m.p + 3, width2 = 2 * m.p[7] * m.p[7];
    const D r[3] = {at[0] - m.p[0], at[1] - m.p[1], at[2] - m.p[2]};
    const D square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2], along = r[0] * n[0] + r[1] * n[1] + r[2] * n[2];
    const L near = square < 18 * width2;
    if (!any(near)) return false;
    const D size = select(near, m.p[6] * exp_of(square * (-1 / width2)), D{});
    for (int i = 0; i < 3; i++) u[i] = size * (n[i] - (square * n[i] - along * r[i]) * (1 / width2));
    return true;
}

struct Section {
    D middle[2], radius, share, s00, s01, s11;          // of a tube at places along it
};

inline Section section(const Move& m, D where) {
    int low[LANES], first = 0;
    bool one = true;
    for (int i = 0; i < LANES; i++) {                    // the last station before each place: mostly that of the one before
        const double place = where[i];
        const bool fits = i && !(m.table[first * STATION] >= place && first) && (first >= m.n - 2 || m.table[(first + 1) * STATION] >= place);
        if (!fits) {
            int begin = 0, end = m.n - 1;
            while (end - begin > 1) {
                const int half = (begin + end) / 2;
                (m.table[half * STATION] < place ? begin : end) = half;
            }
            first = begin;
        }
        low[i] = first;
        one = one && first == low[0];
    }
    D a[STATION], b[STATION];
    for (int i = 0; i < (one ? 1 : LANES); i++) {
        const double *from = m.table + low[i] * STATION, *to = m.table + (low[i] + 1 < m.n ? low[i] + 1 : m.n - 1) * STATION;
        for (int k = 0; k < STATION; k++) {
            if (one) a[k] = each(from[k]), b[k] = each(to[k]);
            else a[k][i] = from[k], b[k][i] = to[k];
        }
    }
    const D gap = b[0] - a[0];
    D toward = (where - a[0]) / select(gap > 0., gap, each(1));
    toward = select(toward < 0., D{}, select(toward > 1., each(1), toward));
    D v[STATION];
    for (int i = 1; i < STATION; i++) v[i] = a[i] + (b[i] - a[i]) * toward;
    const D per = 1 / root(v[4] * v[6] - v[5] * v[5]);
    Section s;
    s.middle[0] = v[1], s.middle[1] = v[2], s.radius = v[3], s.s00 = v[4] * per, s.s01 = v[5] * per, s.s11 = v[6] * per;
    const D beyond = upper(m.table[0] - where, where - m.table[(m.n - 1) * STATION]);
    s.share = select(beyond <= 0., each(1), select(beyond >= TAPER, D{}, 1 - beyond * (1 / TAPER)));
    return s;
}

// Tissue round a tube whose wall went from `now` back to `rest`.
inline void grow(D* o, D rest, D now) {
    const D square = o[0] * o[0] + o[1] * o[1];
    const D left = 1 + (rest * rest - now * now) / select(square > 0., square, each(1));
    const D scale = select(square >= now * now, select(left > 0., root(upper(left, D{})), D{}), rest / now);
    o[0] *= scale, o[1] *= scale;
}

inline void flow(const D* o, D rate, D per, D* v) {
    const D x2 = o[0] * o[0] * per, z2 = o[1] * o[1] * per, near = rate * exp_of((x2 + z2) * -0.5);
    v[0] = near * o[0] * (1 - z2), v[1] = -near * o[1] * (1 - x2);
}
inline void flatten(D* o, D rate, D width) {
    constexpr int STEPS = 3;
    const D per = 1 / (width * width);
    for (int i = 0; i < STEPS; i++) {
        D v[2], middle[2];
        flow(o, rate, per, v);
        for (int k = 0; k < 2; k++) middle[k] = o[k] + v[k] * (0.5 / STEPS);
        flow(middle, rate, per, v);
        for (int k = 0; k < 2; k++) o[k] += v[k] * (1. / STEPS);
    }
}

// A vessel's wall, or fluid along a tube: motion in the plane across it.
inline void in_tube(const Move& m, D* at, bool forward, D* depth) {
    const int a = m.axis == 0 ? 1 : 0, b = m.axis == 2 ? 1 : 2;
    const Section s = section(m, at[m.axis]);
    const D du = at[a] - s.middle[0], dv = at[b] - s.middle[1];
    D o[2] = {s.s00 * du + s.s01 * dv, s.s01 * du + s.s11 * dv};
    if (m.kind == WALL) {
        const D moved = s.radius * root(1 + (m.p[0] - 1) * s.share), flat = m.p[1] * s.share;
        if (!forward && m.p[1] != 0) flatten(o, -flat, 1.6 * s.radius);
        forward ? grow(o, moved, s.radius) : grow(o, s.radius, moved);
        if (forward && m.p[1] != 0) flatten(o, flat, 1.6 * s.radius);
    } else {
        const D away = (at[m.axis] - m.p[1]) * (1 / m.p[2]), area = m.p[0] * upper(1 - away * away, D{});
        const D core = m.flag ? D{} : s.radius, square = o[0] * o[0] + o[1] * o[1], core2 = core * core;
        const L outside = square > core2;
        const D whole = select(square > 0., square, each(1));
        D scale;
        if (forward) {
            scale = select(outside, root(1 + area / whole), each(1));
        } else {
            scale = select(outside, root(upper(square - area, core2) / whole), each(1));
            if (depth) {
                const D radius = root(square), outer = root(core2 + area) - radius, inner = select(core > 0., radius - core, outer);
                *depth = upper(select(outer < inner, outer, inner), *depth);
            }
        }
        o[0] *= scale, o[1] *= scale;
    }
    at[a] = s.middle[0] + s.s11 * o[0] - s.s01 * o[1];
    at[b] = s.middle[1] + s.s00 * o[1] - s.s01 * o[0];
}

inline void in_pool(const Move& m, D* at, bool forward, D* depth) {
    const double *n = m.p + 3, radius = m.p[6], longer = cbrt(m.p[7]), shorter = 1 / (longer * longer);
    const D r[3] = {at[0] - m.p[0], at[1] - m.p[1], at[2] - m.p[2]}, across = r[0] * n[0] + r[1] * n[1] + r[2] * n[2];
    D o[3];
    for (int i = 0; i < 3; i++) o[i] = (r[i] - across * n[i]) * (1 / longer) + across * n[i] * (1 / shorter);
    const D distance = root(o[0] * o[0] + o[1] * o[1] + o[2] * o[2]), ratio = radius / select(distance > 0., distance, each(1));
    const D cube = ratio * ratio * ratio;
    const D scale = select(distance > 0., cube_root(forward ? 1 + cube : upper(1 - cube, D{})), D{});
    if (depth && !forward) *depth = upper(radius - distance, *depth);
    const D along = (o[0] * n[0] + o[1] * n[1] + o[2] * n[2]) * scale;
    for (int i = 0; i < 3; i++) at[i] = m.p[i] + (o[i] * scale - along * n[i]) * longer + along * n[i] * shorter;
}

struct Entry { double value, slope; };

// A table of [first, step, count, values, slopes]: the slope is linear between entries, the value its integral.
inline Entry look(const double*& table, double place) {
    const int count = int(table[2]);
    const double *values = table + 3, *slopes = values + count, step = table[1];
    double where = (place - table[0]) / step;
    where = where >= -1 ? where > count - 4.001 + 1 ? count - 4.001 + 1 : where : -1;    // also where it is no number
    const int cell = int(where + 1);                    // one entry before the first
    const double part = where + 1 - cell, left = slopes[cell], bend = slopes[cell + 1] - left;
    table = slopes + count;
    return {values[cell] + step * part * (left + bend * part / 2), left + bend * part};
}

inline void pressed(const Move& m, const double* at, double* v) {
    const double share = m.p[0], cx = m.p[1], cy = m.p[2], x = at[0] - m.p[3], y = at[1] - m.p[4];
    const double* table = m.table;
    const Entry along = look(table, cx * x + cy * y), across = look(table, cx * y - cy * x), down = look(table, at[2]);
    const double one = -share * down.slope * across.slope * along.value, two = -(1 - share) * down.slope * along.slope * across.value;
    v[0] = one * cx - two * cy, v[1] = one * cy + two * cx, v[2] = along.slope * across.slope * down.value;
}

// One place through a map that is rare.
inline void moved(const Move& m, double* at, bool forward) {
    double u[3], middle[3];
    if (m.kind == CONTRACTION) {
        for (int i = 0; i < 3; i++) middle[i] = at[i];
        for (int step = 0; step < (forward ? SETTLING : 1); step++) {
            displaced(m, at, u);
            for (int i = 0; i < 3; i++) at[i] = forward ? middle[i] + u[i] : at[i] - u[i];
        }
        return;
    }
    const double steps = m.p[5], sign = forward ? 1 : -1;
    for (int step = 0; step < int(steps); step++) {
        pressed(m, at, u);
        for (int i = 0; i < 3; i++) middle[i] = at[i] + u[i] * sign / (2 * steps);
        pressed(m, middle, u);
        for (int i = 0; i < 3; i++) at[i] += u[i] * sign / steps;
    }
}

// `count` places of a vector; the others go along.
inline void moved(const Move& m, D* at, bool forward, D* depth, int count) {
    switch (m.kind) {
    case DRAG: {
        D u[3];
        if (!forward) {
            if (dragged(m, at, u)) for (int i = 0; i < 3; i++) at[i] -= u[i];
            return;
        }
        const D begun[3] = {at[0], at[1], at[2]};
        for (int step = 0; step < SETTLING; step++) {
            const bool near = dragged(m, at, u);
            for (int i = 0; i < 3; i++) at[i] = near ? begun[i] + u[i] : begun[i];
            if (!near) return;
        }
        return;
    }
    case SLIDE: {
        const D z = upper(at[2], D{}), share = z * z / (z * z + m.p[3] * m.p[3]) * (forward ? 1. : -1.);
        for (int i = 0; i < 3; i++) at[i] += m.p[i] * share;
        return;
    }
    case POOL: return in_pool(m, at, forward, depth);
    case SLEEVE:
    case WALL: return in_tube(m, at, forward, depth);
    default:
        for (int lane = 0; lane < count; lane++) {
            double one[3] = {at[0][lane], at[1][lane], at[2][lane]};
            moved(m, one, forward);
            for (int i = 0; i < 3; i++) at[i][lane] = one[i];
        }
    }
}

void motion_block(const Motion& d, int block) {
    const int first = block * MOTION_BLOCK, last = first + MOTION_BLOCK < d.n_points ? first + MOTION_BLOCK : d.n_points;
    for (int k = first; k < last; k += LANES) {
        const int count = last - k < LANES ? last - k : LANES;
        D at[3], deep{};
        for (int lane = 0; lane < LANES; lane++) {
            const int from = k + (lane < count ? lane : count - 1);     // the last once more, rather than none
            for (int i = 0; i < 3; i++) at[i][lane] = d.points[3L * from + i];
            if (d.depth) deep[lane] = d.depth[from];
        }
        for (int m = 0; m < d.n_moves; m++) moved(d.moves[d.forward ? d.n_moves - 1 - m : m], at, d.forward, d.depth ? &deep : nullptr, count);
        for (int lane = 0; lane < count; lane++) {
            for (int i = 0; i < 3; i++) d.out[3L * (k + lane) + i] = at[i][lane];
            if (d.depth) d.depth[k + lane] = deep[lane];
        }
    }
}

}  // namespace
