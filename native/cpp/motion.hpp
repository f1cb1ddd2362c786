// Where tissue was, or is: maps of the body one after another, in double precision, a block of points at a time.
// Each kind of map is the closed form of its class in insonate.simulation.motion, which is the reference.
#pragma once
#include <math.h>
#include "vector.hpp"

namespace {

enum Kind { DRAG, CONTRACTION, SLIDE, POOL, SLEEVE, WALL, CONTACT };
constexpr int SETTLING = 12;    // steps of the fixed point that inverts a displacement
constexpr int STATION = 7;      // numbers of a station: place along the tube, middle (2), radius, stretch (00, 01, 11)
constexpr double TAPER = 4e-3;  // beyond its last station a tube's motion fades over this [m]

inline double dot(const double* a, const double* b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

// u of tissue dragged, or of a muscle that shortens, at a place.
inline void displaced(const Move& m, const double* at, double* u) {
    const double r[3] = {at[0] - m.p[0], at[1] - m.p[1], at[2] - m.p[2]}, *n = m.p + 3, amount = m.p[6], width2 = 2 * m.p[7] * m.p[7];
    const double square = dot(r, r), along = dot(r, n);
    u[0] = u[1] = u[2] = 0;
    if (m.kind == DRAG) {
        if (square >= 18 * width2) return;
        const double size = amount * exp(-square / width2);
        for (int i = 0; i < 3; i++) u[i] = size * (n[i] - (square * n[i] - along * r[i]) / width2);
        return;
    }
    const double beside = square - along * along, near = exp(-square / width2);
    const double in_line = -amount * along * (1 - beside / width2), outward = amount / 2 * (1 - 2 * along * along / width2);
    for (int i = 0; i < 3; i++) u[i] = near * (in_line * n[i] + outward * (r[i] - along * n[i]));
}

struct Section {
    double middle[2], radius, share, s00, s01, s11;     // of a tube at a place along it
};

inline Section section(const Move& m, double where) {
    int low = 0, high = m.n - 1;
    while (high - low > 1) {                            // the last station before the place
        const int half = (low + high) / 2;
        (m.table[half * STATION] < where ? low : high) = half;
    }
    const double *a = m.table + low * STATION, *b = m.table + (low + 1 < m.n ? low + 1 : m.n - 1) * STATION;
    const double gap = b[0] - a[0];
    double toward = (where - a[0]) / (gap > 0 ? gap : 1);
    toward = toward < 0 ? 0 : toward > 1 ? 1 : toward;
    Section s;
    double v[STATION];
    for (int i = 1; i < STATION; i++) v[i] = a[i] + (b[i] - a[i]) * toward;
    const double per = 1 / sqrt(v[4] * v[6] - v[5] * v[5]);
    s.middle[0] = v[1], s.middle[1] = v[2], s.radius = v[3], s.s00 = v[4] * per, s.s01 = v[5] * per, s.s11 = v[6] * per;
    const double before = m.table[0] - where, after = where - m.table[(m.n - 1) * STATION];
    const double beyond = before > after ? before : after;
    s.share = beyond <= 0 ? 1 : beyond >= TAPER ? 0 : 1 - beyond / TAPER;
    return s;
}

// Tissue round a tube whose wall went from `now` back to `rest`.
inline void grow(double* o, double rest, double now) {
    const double square = o[0] * o[0] + o[1] * o[1];
    double scale = rest / now;
    if (square >= now * now) {
        const double left = 1 + (rest * rest - now * now) / (square > 0 ? square : 1);
        scale = left > 0 ? sqrt(left) : 0;
    }
    o[0] *= scale, o[1] *= scale;
}

inline void flow(const double* o, double rate, double width, double* v) {
    const double x2 = o[0] * o[0], z2 = o[1] * o[1], w2 = width * width, near = rate * exp(-(x2 + z2) / (2 * w2));
    v[0] = near * o[0] * (1 - z2 / w2), v[1] = -near * o[1] * (1 - x2 / w2);
}
inline void flatten(double* o, double rate, double width) {
    constexpr int STEPS = 3;
    for (int i = 0; i < STEPS; i++) {
        double v[2], middle[2];
        flow(o, rate, width, v);
        for (int k = 0; k < 2; k++) middle[k] = o[k] + v[k] / (2 * STEPS);
        flow(middle, rate, width, v);
        for (int k = 0; k < 2; k++) o[k] += v[k] / STEPS;
    }
}

// A vessel's wall, or fluid along a tube: motion in the plane across it.
inline void in_tube(const Move& m, double* at, bool forward, double* depth) {
    const int a = m.axis == 0 ? 1 : 0, b = m.axis == 2 ? 1 : 2;
    const Section s = section(m, at[m.axis]);
    const double du = at[a] - s.middle[0], dv = at[b] - s.middle[1];
    double o[2] = {s.s00 * du + s.s01 * dv, s.s01 * du + s.s11 * dv};
    if (m.kind == WALL) {
        const double moved = s.radius * sqrt(1 + (m.p[0] - 1) * s.share), flat = m.p[1] * s.share;
        if (!forward && m.p[1] != 0) flatten(o, -flat, 1.6 * s.radius);
        forward ? grow(o, moved, s.radius) : grow(o, s.radius, moved);
        if (forward && m.p[1] != 0) flatten(o, flat, 1.6 * s.radius);
    } else {
        const double away = (at[m.axis] - m.p[1]) / m.p[2], left = 1 - away * away, area = m.p[0] * (left > 0 ? left : 0);
        const double core = m.flag ? 0 : s.radius, square = o[0] * o[0] + o[1] * o[1], radius = sqrt(square);
        double scale = 1;
        if (forward) {
            if (square > core * core) scale = sqrt(1 + area / (square > 0 ? square : 1));
        } else {
            if (radius > core) {
                const double before = square - area > core * core ? square - area : core * core;
                scale = sqrt(before) / radius;
            }
            const double outer = sqrt(core * core + area) - radius, inner = core > 0 ? radius - core : outer;
            const double deep = outer < inner ? outer : inner;
            if (depth && deep > *depth) *depth = deep;
        }
        o[0] *= scale, o[1] *= scale;
    }
    at[a] = s.middle[0] + s.s11 * o[0] - s.s01 * o[1];
    at[b] = s.middle[1] + s.s00 * o[1] - s.s01 * o[0];
}

inline void in_pool(const Move& m, double* at, bool forward, double* depth) {
    const double *n = m.p + 3, radius = m.p[6], longer = cbrt(m.p[7]), shorter = 1 / (longer * longer);
    const double r[3] = {at[0] - m.p[0], at[1] - m.p[1], at[2] - m.p[2]}, across = dot(r, n);
    double o[3];
    for (int i = 0; i < 3; i++) o[i] = (r[i] - across * n[i]) / longer + across * n[i] / shorter;
    const double distance = sqrt(dot(o, o)), ratio = radius / (distance > 0 ? distance : 1), cube = ratio * ratio * ratio;
    double scale = 0;
    if (distance > 0) scale = cbrt(forward ? 1 + cube : cube < 1 ? 1 - cube : 0);
    if (depth && !forward && radius - distance > *depth) *depth = radius - distance;
    const double along = dot(o, n) * scale;
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

inline void moved(const Move& m, double* at, bool forward, double* depth) {
    double u[3], middle[3];
    switch (m.kind) {
    case DRAG:
    case CONTRACTION:
        if (!forward) {
            displaced(m, at, u);
            for (int i = 0; i < 3; i++) at[i] -= u[i];
            return;
        }
        for (int i = 0; i < 3; i++) middle[i] = at[i];
        for (int step = 0; step < SETTLING; step++) {
            displaced(m, at, u);
            for (int i = 0; i < 3; i++) at[i] = middle[i] + u[i];
        }
        return;
    case SLIDE: {
        const double z = at[2] > 0 ? at[2] : 0, share = z * z / (z * z + m.p[3] * m.p[3]) * (forward ? 1 : -1);
        for (int i = 0; i < 3; i++) at[i] += m.p[i] * share;
        return;
    }
    case POOL: return in_pool(m, at, forward, depth);
    case SLEEVE:
    case WALL: return in_tube(m, at, forward, depth);
    default: {
        const double steps = m.p[5], sign = forward ? 1 : -1;
        for (int step = 0; step < int(steps); step++) {
            pressed(m, at, u);
            for (int i = 0; i < 3; i++) middle[i] = at[i] + u[i] * sign / (2 * steps);
            pressed(m, middle, u);
            for (int i = 0; i < 3; i++) at[i] += u[i] * sign / steps;
        }
    }
    }
}

void motion_block(const Motion& d, int block) {
    const int first = block * MOTION_BLOCK, last = first + MOTION_BLOCK < d.n_points ? first + MOTION_BLOCK : d.n_points;
    for (int k = first; k < last; k++) {
        double at[3] = {d.points[3 * k], d.points[3 * k + 1], d.points[3 * k + 2]};
        for (int m = 0; m < d.n_moves; m++) moved(d.moves[d.forward ? d.n_moves - 1 - m : m], at, d.forward, d.depth ? d.depth + k : nullptr);
        for (int i = 0; i < 3; i++) d.out[3 * k + i] = at[i];
    }
}

}  // namespace
