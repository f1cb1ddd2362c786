// One column of the slice of a body. Tissue lies still for a few samples in one voxel: W samples at a time, as far as they share
// the voxel, so that what the voxel says is unpacked once. Near a sheet the eight voxels around are asked in the same way.
// Written beside the column first: a vector may run past its end.
#pragma once
#include "vector.hpp"

namespace {

constexpr int LINE = 256;       // samples of the noise that one straight segment may need
constexpr int GAINS = 64;       // entries of a gain's table

inline I floor_of(F v) { const I t = to_int(v); return t + (I)(to_float(t) > v); }
inline int floor_of(float v) { const int t = int(v); return t - (float(t) > v); }
inline int held(int v, int most) { return v < 0 ? 0 : v > most ? most : v; }

// exp(x), -80 <= x <= 0, relative error 3e-7
inline F exp_of(F x) {
    const F y = x * 1.44269504f;
    const I n = floor_of(y + 0.5f);
    const F f = y - to_float(n);
    const F p = ((((((1.5403530e-4f * f + 1.3333558e-3f) * f + 9.6181291e-3f) * f + 5.5504109e-2f) * f + 0.24022651f) * f + 0.69314718f) * f) + 1.f;
    return (F)((I)p + (n << 23));
}

// Bit i is set where lane i of a mask is.
inline unsigned bits(I mask) {
#if defined(AVX512)
    return _mm512_movepi32_mask((__m512i)mask);
#elif defined(AVX2)
    return unsigned(_mm256_movemask_ps((__m256)mask));
#else
    unsigned out = 0;
    for (int i = 0; i < W; i++) out |= unsigned(mask[i] & 1) << i;
    return out;
#endif
}

// W bytes as floats.
inline F load_bytes(const signed char* p) {
#if defined(AVX512)
    return (F)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#elif defined(AVX2)
    return (F)_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
#elif defined(NEON)
    int four;
    __builtin_memcpy(&four, p, 4);
    return (F)vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(unsigned(four))))));
#else
    F out{};
    for (int i = 0; i < W; i++) out[i] = float(p[i]);
    return out;
#endif
}

// A table of GAINS entries, looked up; entries that are asked for lie within it.
inline F gain_of(const float* table, I k) {
#if defined(AVX512)
    const __m512 a = _mm512_loadu_ps(table), b = _mm512_loadu_ps(table + 16), c = _mm512_loadu_ps(table + 32), d = _mm512_loadu_ps(table + 48);
    const __mmask16 upper = _mm512_test_epi32_mask((__m512i)k, _mm512_set1_epi32(32));
    return (F)_mm512_mask_blend_ps(upper, _mm512_permutex2var_ps(a, (__m512i)k, b), _mm512_permutex2var_ps(c, (__m512i)k, d));
#else
    F out{};
    for (int i = 0; i < W; i++) out[i] = table[k[i]];
    return out;
#endif
}

// Any table, looked up.
inline F looked_up(const float* table, I k) {
#if defined(AVX512)
    return (F)_mm512_i32gather_ps((__m512i)k, table, 4);
#else
    F out{};
    for (int i = 0; i < W; i++) out[i] = table[k[i]];
    return out;
#endif
}

inline I least(I a, I b) { const I mask = (I)(a < b); return (a & mask) | (b & ~mask); }
inline I within(I v, int most) {
    const I some = v & ~(v >> 31);
    return least(some, all(most));
}

// Neighbours in a line at places that go on steadily, n of W of them asked for: they lie within a few vectors of the first.
inline void neighbours(const float* line, int begin, I at, bool broad, F& low, F& high) {
    if (broad) pairs<BROAD>(line + begin, within(at - begin, 4 * W - 2), low, high);
    else pairs<WIDE>(line + begin, within(at - begin, 2 * W - 2), low, high);
}

constexpr int ROOM = LINE + 4 * W; // from line to line

struct Noise {
    int first, count, low;      // of the lines; where a segment leans, the first of its three lines
    bool straight, leans;
    float a0, b0, da, db;       // place in the tile at the first sample, and along the segment
};

// Weighted sum of rows of the tile.
template <int N> inline void blend(const Slice& d, const Noise& n, const float* w, const signed char* const* rows, float* line) {
    const int begun = n.first & (d.nc - 1);
    int k = 0;
    for (; k + W <= n.count && begun + k + W <= d.nc; k += W) {
        F sum{};
        for (int r = 0; r < N; r++) sum += w[r] * load_bytes(rows[r] + begun + k);
        store(line + k, sum);
    }
    for (; k < n.count; k++) {
        const int c = (begun + k) & (d.nc - 1);
        float sum = 0;
        for (int r = 0; r < N; r++) sum += w[r] * rows[r][c];
        line[k] = sum;
    }
}

// One line for a segment that hardly strays from it, three for one that leans along the plane: its samples lie between two.
inline Noise line_of(const Slice& d, const float* at, const float* g, float* line) {
    const float whole = float(d.stride), sa = 1 / d.noise_step[0], sb = 1 / d.noise_step[1], sc = 1 / d.noise_step[2];
    Noise n;
    n.a0 = (d.cosine * at[0] + d.sine * at[1]) * sa, n.b0 = (d.cosine * at[1] - d.sine * at[0]) * sb;
    n.da = (d.cosine * g[0] + d.sine * g[1]) * sa * whole, n.db = (d.cosine * g[1] - d.sine * g[0]) * sb * whole;
    const float z1 = at[2] + g[2] * whole;
    n.first = floor_of((at[2] < z1 ? at[2] : z1) * sc) - 1;
    n.count = floor_of((at[2] > z1 ? at[2] : z1) * sc) + 3 - n.first;
    const bool one = __builtin_fabsf(n.db) < d.bent && n.count <= LINE;
    n.straight = one && __builtin_fabsf(n.da) < d.bent;
    n.leans = one && !n.straight && __builtin_fabsf(n.da) < 1;
    if (n.leans) {
        const float b = n.b0 + 0.5f * n.db;
        n.low = floor_of(n.da < 0 ? n.a0 + n.da : n.a0);
        const int lb = floor_of(b), kb = lb & (d.nb - 1), mb = (kb + 1) & (d.nb - 1);
        const float pb = b - float(lb), gain = d.gains[GAINS + int(pb * 63.999f)], w[2] = {(1 - pb) * gain, pb * gain};
        for (int r = 0; r < 3; r++) {
            const signed char* row = d.noise + long((n.low + r) & (d.na - 1)) * d.along;
            const signed char* rows[2] = {row + long(kb) * d.across, row + long(mb) * d.across};
            blend<2>(d, n, w, rows, line + r * ROOM);
        }
    }
    if (!n.straight) return n;
    const float a = n.a0 + 0.5f * n.da, b = n.b0 + 0.5f * n.db;
    const int la = floor_of(a), lb = floor_of(b);
    const float pa = a - float(la), pb = b - float(lb);
    const int ka = la & (d.na - 1), kb = lb & (d.nb - 1), ma = (ka + 1) & (d.na - 1), mb = (kb + 1) & (d.nb - 1);
    const float gain = d.gains[int(pa * 63.999f)] * d.gains[GAINS + int(pb * 63.999f)];
    const float w[4] = {(1 - pa) * (1 - pb) * gain, (1 - pa) * pb * gain, pa * (1 - pb) * gain, pa * pb * gain};
    const long a0 = long(ka) * d.along, a1 = long(ma) * d.along, b0 = long(kb) * d.across, b1 = long(mb) * d.across;
    const signed char* rows[4] = {d.noise + a0 + b0, d.noise + a0 + b1, d.noise + a1 + b0, d.noise + a1 + b1};
    blend<4>(d, n, w, rows, line);
    return n;
}

// One sample of the tile where the segment strays.
inline float grain_at(const Slice& d, float x, float y, float z) {
    const float p[3] = {(d.cosine * x + d.sine * y) / d.noise_step[0], (d.cosine * y - d.sine * x) / d.noise_step[1], z / d.noise_step[2]};
    const int sides[3] = {d.na, d.nb, d.nc};
    int low[3], high[3];
    float part[3], gain = 1;
    for (int i = 0; i < 3; i++) {
        const int whole = floor_of(p[i]);
        part[i] = p[i] - float(whole);
        low[i] = whole & (sides[i] - 1), high[i] = (low[i] + 1) & (sides[i] - 1);
        gain *= d.gains[i * GAINS + int(part[i] * 63.999f)];
    }
    float sum = 0;
    for (int corner = 0; corner < 8; corner++) {
        const int a = corner & 4 ? high[0] : low[0], b = corner & 2 ? high[1] : low[1], c = corner & 1 ? high[2] : low[2];
        const float weight = (corner & 4 ? part[0] : 1 - part[0]) * (corner & 2 ? part[1] : 1 - part[1]) * (corner & 1 ? part[2] : 1 - part[2]);
        sum += weight * d.noise[long(a) * d.along + long(b) * d.across + c];
    }
    return sum * gain;
}

constexpr float ALONG[3][16] = {{0, 0, 0, 0, 1, 1, 1, 1}, {0, 0, 1, 1, 0, 0, 1, 1}, {0, 1, 0, 1, 0, 1, 0, 1}};

struct Corners {                // eight voxels around: the plane that each says the sheet is, from the first of them
    alignas(64) float base[16], m0[16], m1[16], m2[16], code[16];
    unsigned good;              // which of them tell of a sheet, and of the same
};

#if defined(AVX2)
// Two voxels that follow each other from either of two places.
inline __m256i pair(const unsigned char* one, const unsigned char* other) {
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(one))),
                                   _mm_loadu_si128(reinterpret_cast<const __m128i*>(other)), 1);
}
inline I eight(__m256i v) {
#if defined(AVX512)
    return (I)_mm512_zextsi256_si512(v);
#else
    return (I)v;
#endif
}
#endif

inline Corners corners_of(const Slice& d, int x, int y, int z, float n0, float n1, float n2) {
    const long sy = d.nz, sx = long(d.ny) * d.nz;
    Corners out;
    out.good = 0;
    const float per = d.step / 127;
    auto tell = [&](int c, I l, I h) {
        const I its = (l << 8) >> 24;
        const F m0 = to_float((h << 24) >> 24), m1 = to_float((h << 16) >> 24), m2 = to_float((h << 8) >> 24);
        const I good = (I)(its > -127) & (I)(its < 127) & (I)(m0 * n0 + m1 * n1 + m2 * n2 > 63.5f);
        out.good |= bits(good) << c;
        store(out.m0 + c, m0 * per), store(out.m1 + c, m1 * per), store(out.m2 + c, m2 * per);
        store(out.base + c, to_float(its) * d.distance_step - (m0 * load(ALONG[0] + c) + m1 * load(ALONG[1] + c) + m2 * load(ALONG[2] + c)) * per);
        store(out.code + c, to_float((l >> 24) & 255));
    };
#if defined(AVX2)
    if (x >= 0 && y >= 0 && z >= 0 && x + 1 < d.nx && y + 1 < d.ny && z + 1 < d.nz) {
        const unsigned char* voxel = d.voxels + 8 * (x * sx + y * sy + z);
        const __m256 a = _mm256_castsi256_ps(pair(voxel, voxel + 8 * sx)), b = _mm256_castsi256_ps(pair(voxel + 8 * sy, voxel + 8 * (sx + sy)));
        tell(0, eight(_mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88))), eight(_mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd))));
        out.good &= 255;
        return out;
    }
#endif
    alignas(64) int low[16], high[16];
    for (int c = 0; c < 16; c++) {
        const int ax = x + (c >> 2 & 1), ay = y + (c >> 1 & 1), az = z + (c & 1);
        low[c] = 0x00810000, high[c] = 0;       // a distance of -127: no sheet
        if (c < 8 && unsigned(ax) < unsigned(d.nx) && unsigned(ay) < unsigned(d.ny) && unsigned(az) < unsigned(d.nz)) {
            const unsigned char* voxel = d.voxels + 8 * (ax * sx + ay * sy + az);
            __builtin_memcpy(low + c, voxel, 4);
            __builtin_memcpy(high + c, voxel + 4, 4);
        }
    }
    for (int c = 0; c < 8; c += W) tell(c, load(low + c), load(high + c));
    out.good &= 255;
    return out;
}

void slice_column(const Slice& d, int column, float* scratch) {
    const int room = (d.n_axial + 2 * W + 15) / 16 * 16;
    float *out = scratch, *through = out + room, *line = through + room;
    unsigned char* named = reinterpret_cast<unsigned char*>(line + 3 * ROOM);
    const float over = 1 / d.step, sc = 1 / d.noise_step[2], foot = d.footprint * d.lateral_step, unit = 1 / 127.f;
    const long sy = d.nz, sx = long(d.ny) * d.nz;
    const F reach = all(d.near), same = all(d.same), little = all(d.little);
    const float* node = d.nodes + 3L * column * d.n_nodes;
    float passed = 1;
    for (int segment = 0; segment + 1 < d.n_nodes; segment++, node += 3) {
        const int begin = segment * d.stride;
        const int end = segment + 2 == d.n_nodes || begin + d.stride > d.n_axial ? d.n_axial : begin + d.stride;
        if (begin >= end) break;
        const float g[3] = {(node[3] - node[0]) / float(d.stride), (node[4] - node[1]) / float(d.stride), (node[5] - node[2]) / float(d.stride)};
        const Noise noise = line_of(d, node, g, line);
        for (int j = begin; j < end;) {
            const F t = to_float(all(j - begin) + lanes());
            const F x = node[0] + g[0] * t, y = node[1] + g[1] * t, z = node[2] + g[2] * t;
            const F fx = (x - d.origin[0]) * over, fy = (y - d.origin[1]) * over, fz = (z - d.origin[2]) * over;
            const I ix = floor_of(fx + 0.5f), iy = floor_of(fy + 0.5f), iz = floor_of(fz + 0.5f);
            const int vx = ix[0], vy = iy[0], vz = iz[0];
            const unsigned others = ~bits((I)(ix == vx) & (I)(iy == vy) & (I)(iz == vz)) | 1u << W;
            int n = __builtin_ctz(others);
            n = n < end - j ? n : end - j;
            if (unsigned(vx) >= unsigned(d.nx) || unsigned(vy) >= unsigned(d.ny) || unsigned(vz) >= unsigned(d.nz) || z[0] < 0) {
                store(out + j, F{});
                store(through + j, all(passed));
                __builtin_memset(named + j, 0, W);
                j += n;
                continue;
            }
            F grain{};
            if (noise.straight || noise.leans) {
                const F c = z * sc;
                const I whole = floor_of(c);
                const F part = c - to_float(whole);
                const I at = within(whole - noise.first, noise.count - 2);
                const int first = at[0], last = at[n - 1], begun = first < last ? first : last, span = first + last - 2 * begun + 2;
                const bool broad = span > 2 * W;
                const F gain = gain_of(d.gains + 2 * GAINS, within(to_int(part * 63.999f), GAINS - 1));
                if (span > 4 * W) {                                     // samples far apart: one by one
                    for (int i = 0; i < n; i++) {
                        const float p = noise.leans ? noise.a0 + noise.da * (t[i] * (1 / float(d.stride))) : 0;
                        const int side = floor_of(p);
                        const float aside = p - float(side), *from = line + (noise.leans ? held(side - noise.low, 1) * ROOM : 0) + at[i];
                        grain[i] = (part[i] * (from[1] - from[0]) + from[0]) * gain[i];
                        if (!noise.leans) continue;
                        const float far = part[i] * (from[ROOM + 1] - from[ROOM]) + from[ROOM], near = part[i] * (from[1] - from[0]) + from[0];
                        grain[i] = (aside * (far - near) + near) * gain[i] * d.gains[held(int(aside * 63.999f), GAINS - 1)];
                    }
                } else {
                    F low, high;
                    neighbours(line, begun, at, broad, low, high);
                    const F zeroth = part * (high - low) + low;
                    if (noise.straight) {
                        grain = zeroth * gain;
                    } else {
                        const F a = noise.a0 + noise.da * (t * (1 / float(d.stride)));
                        const I side = floor_of(a), beyond = (I)(side > noise.low);
                        const F aside = a - to_float(side);
                        neighbours(line + ROOM, begun, at, broad, low, high);
                        const F middle = part * (high - low) + low;
                        neighbours(line + 2 * ROOM, begun, at, broad, low, high);
                        const F second = part * (high - low) + low, near = select(beyond, middle, zeroth), far = select(beyond, second, middle);
                        grain = (aside * (far - near) + near) * gain * gain_of(d.gains, within(to_int(aside * 63.999f), GAINS - 1));
                    }
                }
            } else {
                for (int i = 0; i < n; i++) grain[i] = grain_at(d, x[i], y[i], z[i]);
            }
            const unsigned char* voxel = d.voxels + 8 * (vx * sx + vy * sy + vz);
            const int material = voxel[0], inner = voxel[1], stored = (signed char)voxel[2];
            F value = grain * d.echo_amplitudes[voxel[7]];
            float factor = d.passing[material];
            unsigned swapped = 0, beside = 0;
            if (stored > -127 && stored < 127 && (voxel[3] || inner != material)) {
                const float n0 = (signed char)voxel[4] * unit, n1 = (signed char)voxel[5] * unit, n2 = (signed char)voxel[6] * unit;
                F distance = float(stored) * d.distance_step + (n0 * (fx - float(vx)) + n1 * (fy - float(vy)) + n2 * (fz - float(vz))) * d.step;
                const I close = (I)(size(distance) < reach) & (I)(lanes() < n);
                if (unsigned left = bits(close)) {
                    const I bx = floor_of(fx), by = floor_of(fy), bz = floor_of(fz);
                    F strength = all(float(voxel[3]));
                    const F first = distance;
                    while (left) {
                        const int m = __builtin_ctz(left), cx = bx[m], cy = by[m], cz = bz[m];
                        const I mine = close & (I)(bx == cx) & (I)(by == cy) & (I)(bz == cz);
                        const F px = fx - float(cx), py = fy - float(cy), pz = fz - float(cz);
                        const Corners corners = corners_of(d, cx, cy, cz, n0, n1, n2);
                        const F wx[2] = {1.f - px, px}, qy = 1.f - py, qz = 1.f - pz, wyz[4] = {qy * qz, qy * pz, py * qz, py * pz};
                        F total{}, summed{}, strengths{};
                        for (unsigned some = corners.good; some; some &= some - 1) {
                            const int c = __builtin_ctz(some);
                            const F away = corners.base[c] + corners.m0[c] * px + corners.m1[c] * py + corners.m2[c] * pz;
                            const F weight = wx[c >> 2] * wyz[c & 3];
                            const F kept = where((I)(weight >= little) & (I)(size(away - first) < same), weight);
                            total += kept, summed += kept * away, strengths += kept * corners.code[c];
                        }
                        const I better = mine & (I)(total > 1e-3f);
                        const F per = 1.f / select(better, total, all(1.f));
                        distance = select(better, summed * per, distance);
                        strength = select(better, strengths * per, strength);
                        left &= ~bits(mine);
                    }
                    const float along = __builtin_fabsf(n0 * d.lateral[0] + n1 * d.lateral[1] + n2 * d.lateral[2]);
                    const float variance = d.thickness * d.thickness + foot * foot * along * along;
                    const F far = distance * distance * (1 / variance);
                    const I seen = close & (I)(far < 36.f);
                    if (bits(seen)) {
                        const I code = to_int(strength + 0.5f);
                        const F bright = looked_up(d.sheet_amplitudes, within(code, 255));
                        value += where(seen, bright * (d.thickness / __builtin_sqrtf(variance)) * exp_of(lower(far, all(36.f)) * -0.5f));
                    }
                    if (along > d.edge && (d.passing[material] > 1 || d.passing[inner] > 1)) beside = bits(close);
                }
                if (inner != material) swapped = bits((I)(distance * float(stored) < 0.f));
            }
            if (const unsigned some = swapped & ((1u << n) - 1)) {     // beyond the sheet it is the other material
                const float own = d.echo_amplitudes[voxel[7]], its = d.echo_amplitudes[d.echo_codes[inner]];
                for (int i = 0; i < n; i++) {
                    const bool is = some >> i & 1;
                    if (is) value[i] += grain[i] * (its - own);
                    named[j + i] = d.labels[is ? inner : material];
                    passed *= d.passing[is ? inner : material] * (beside >> i & 1 ? d.edge_loss : 1);
                    through[j + i] = passed;
                }
            } else {
                const unsigned char label = d.labels[material];
                __builtin_memset(named + j, label, W);
                if (factor == 1 && !beside) {
                    store(through + j, all(passed));
                } else {
                    for (int i = 0; i < n; i++) through[j + i] = passed *= factor * (beside >> i & 1 ? d.edge_loss : 1);
                }
            }
            store(out + j, value);
            j += n;
        }
    }
    const long to = long(column) * d.n_axial;
    __builtin_memcpy(d.reflectivity + to, out, sizeof(float) * d.n_axial);
    __builtin_memcpy(d.through + to, through, sizeof(float) * d.n_axial);
    __builtin_memcpy(d.named + to, named, d.n_axial);
}

}  // namespace
