// Vectors of W floats, written once; only what compilers cannot say without intrinsics differs by instruction set.
// Everything has internal linkage and no std:: inline function is used: a linker keeps one copy of an inline function,
// and it must not be the copy built for a processor the user has not got.
#pragma once
#include "interface.hpp"

#if defined(PLAIN)          // neither, also where the compiler would have them
#elif defined(__AVX2__)
#define AVX2
#include <immintrin.h>
#if defined(__AVX512F__)
#define AVX512
#endif
#elif defined(__ARM_NEON)
#define NEON
#include <arm_neon.h>
#endif

namespace {

typedef float F __attribute__((vector_size(4 * W)));
typedef int I __attribute__((vector_size(4 * W)));
typedef float Fu __attribute__((vector_size(4 * W), aligned(4), may_alias));
typedef int Iu __attribute__((vector_size(4 * W), aligned(4), may_alias));
typedef double D __attribute__((vector_size(4 * W)));       // W / 2 lanes
typedef long long L __attribute__((vector_size(4 * W)));
typedef double Du __attribute__((vector_size(4 * W), aligned(8), may_alias));
typedef float Half __attribute__((vector_size(2 * W)));
typedef float Halfu __attribute__((vector_size(2 * W), aligned(4), may_alias));

inline F load(const float* p) { return *reinterpret_cast<const Fu*>(p); }
inline I load(const int* p) { return *reinterpret_cast<const Iu*>(p); }
inline D load(const double* p) { return *reinterpret_cast<const Du*>(p); }
inline void store(float* p, F v) { *reinterpret_cast<Fu*>(p) = v; }
inline void store(int* p, I v) { *reinterpret_cast<Iu*>(p) = v; }
inline void store_as_floats(float* p, D v) { *reinterpret_cast<Halfu*>(p) = __builtin_convertvector(v, Half); }
inline F all(float v) { return F{} + v; }
inline I all(int v) { return I{} + v; }
inline F to_float(I v) { return __builtin_convertvector(v, F); }
inline I to_int(F v) { return __builtin_convertvector(v, I); }
inline F select(I mask, F a, F b) { return (F)(((I)a & mask) | ((I)b & ~mask)); }
inline D select(L mask, D a, D b) { return (D)(((L)a & mask) | ((L)b & ~mask)); }
inline F where(I mask, F a) { return (F)((I)a & mask); }
inline F lower(F a, F b) { return select(a < b, a, b); }       // b where either is no number
inline F upper(F a, F b) { return select(a > b, a, b); }
inline F size(F v) { return (F)((I)v & 0x7fffffff); }
inline D nearest(D v) { constexpr double big = 6755399441055744.0; return v + big - big; }   // whole number, |v| < 2^51

inline I lanes() {
    I v{};
    for (int i = 0; i < W; i++) v[i] = i;
    return v;
}

inline bool every(I mask) {
#if defined(AVX512)
    return _mm512_movepi32_mask((__m512i)mask) == 0xffff;
#elif defined(AVX2)
    return _mm256_movemask_ps((__m256)mask) == 0xff;
#else
    int all_of = -1;
    for (int i = 0; i < W; i++) all_of &= mask[i];
    return all_of != 0;
#endif
}
inline I last_lane() { return (I)(lanes() == W - 1); }

// r0[i] = p[q[i]], r1[i] = p[q[i] + 1]: W consecutive depths need few consecutive samples, so a permute does for a gather.
enum Reach { NARROW, WIDE, BROAD, FAR };   // q[i] + 1 < W, < 2 W, < 4 W, anything

#if defined(AVX512)
inline F root(F v) { return (F)_mm512_sqrt_ps((__m512)v); }
inline D root(D v) { return (D)_mm512_sqrt_pd((__m512d)v); }
template <Reach reach> inline void pairs(const float* p, I q, F& r0, F& r1) {
    const __m512i i0 = (__m512i)q, i1 = (__m512i)(q + 1);
    if constexpr (reach == FAR) {
        r0 = (F)_mm512_i32gather_ps(i0, p, 4);
        r1 = (F)_mm512_i32gather_ps(i1, p, 4);
        return;
    }
    const __m512 lo = _mm512_loadu_ps(p);
    if constexpr (reach == BROAD) {                    // bit 5 of the index picks the upper 32 samples
        const __m512 hi = _mm512_loadu_ps(p + 16), further = _mm512_loadu_ps(p + 32), last = _mm512_loadu_ps(p + 48);
        const __m512i half = _mm512_set1_epi32(32);
        const __mmask16 upper0 = _mm512_test_epi32_mask(i0, half), upper1 = _mm512_test_epi32_mask(i1, half);
        r0 = (F)_mm512_mask_blend_ps(upper0, _mm512_permutex2var_ps(lo, i0, hi), _mm512_permutex2var_ps(further, i0, last));
        r1 = (F)_mm512_mask_blend_ps(upper1, _mm512_permutex2var_ps(lo, i1, hi), _mm512_permutex2var_ps(further, i1, last));
    } else if constexpr (reach == WIDE) {
        const __m512 hi = _mm512_loadu_ps(p + 16);
        r0 = (F)_mm512_permutex2var_ps(lo, i0, hi);
        r1 = (F)_mm512_permutex2var_ps(lo, i1, hi);
    } else {
        r0 = (F)_mm512_permutexvar_ps(i0, lo);
        r1 = (F)_mm512_permutexvar_ps(i1, lo);
    }
}
#elif defined(AVX2)
inline F root(F v) { return (F)_mm256_sqrt_ps((__m256)v); }
inline D root(D v) { return (D)_mm256_sqrt_pd((__m256d)v); }
template <Reach reach> inline void pairs(const float* p, I q, F& r0, F& r1) {
    if constexpr (reach == FAR) {                      // plain loads: on many processors the gather is slower
        for (int i = 0; i < W; i++) { r0[i] = p[q[i]]; r1[i] = p[q[i] + 1]; }
        return;
    }
    const __m256i i0 = (__m256i)q, i1 = (__m256i)(q + 1);
    const __m256 lo = _mm256_loadu_ps(p);
    auto eights = [](__m256 a, __m256 b, __m256i i) {  // bit 3 of the index picks the upper eight samples
        return _mm256_blendv_ps(_mm256_permutevar8x32_ps(a, i), _mm256_permutevar8x32_ps(b, i), _mm256_castsi256_ps(_mm256_slli_epi32(i, 28)));
    };
    if constexpr (reach == NARROW) {
        r0 = (F)_mm256_permutevar8x32_ps(lo, i0);
        r1 = (F)_mm256_permutevar8x32_ps(lo, i1);
    } else {
        const __m256 hi = _mm256_loadu_ps(p + 8);
        r0 = (F)eights(lo, hi, i0);
        r1 = (F)eights(lo, hi, i1);
    }
    if constexpr (reach == BROAD) {                    // and bit 4 the upper sixteen
        const __m256 further = _mm256_loadu_ps(p + 16), last = _mm256_loadu_ps(p + 24);
        r0 = (F)_mm256_blendv_ps((__m256)r0, eights(further, last, i0), (__m256)(q << 27));
        r1 = (F)_mm256_blendv_ps((__m256)r1, eights(further, last, i1), (__m256)((q + 1) << 27));
    }
}
#elif defined(NEON)
inline F root(F v) { return (F)vsqrtq_f32((float32x4_t)v); }
inline D root(D v) { return (D)vsqrtq_f64((float64x2_t)v); }
template <Reach reach> inline void pairs(const float* p, I q, F& r0, F& r1) {
    if constexpr (reach == FAR) {
        for (int i = 0; i < W; i++) { r0[i] = p[q[i]]; r1[i] = p[q[i] + 1]; }
        return;
    }
    const uint32x4_t i0 = (uint32x4_t)(q * 0x04040404 + 0x03020100);
    if constexpr (reach == BROAD) {
        const unsigned char* b = (const unsigned char*)p;
        const uint8x16x4_t four = {{vld1q_u8(b), vld1q_u8(b + 16), vld1q_u8(b + 32), vld1q_u8(b + 48)}};      // sixteen samples
        r0 = (F)vqtbl4q_u8(four, (uint8x16_t)i0);
        r1 = (F)vqtbl4q_u8(four, (uint8x16_t)(i0 + 0x04040404u));
        return;
    }
    const uint8x16x2_t t = {{vld1q_u8((const unsigned char*)p), vld1q_u8((const unsigned char*)(p + 4))}};   // eight samples
    r0 = (F)vqtbl2q_u8(t, (uint8x16_t)i0);
    r1 = (F)vqtbl2q_u8(t, (uint8x16_t)(i0 + 0x04040404u));
}
#else
inline F root(F v) { for (int i = 0; i < W; i++) v[i] = __builtin_sqrtf(v[i]); return v; }
inline D root(D v) { for (int i = 0; i < W / 2; i++) v[i] = __builtin_sqrt(v[i]); return v; }
template <Reach reach> inline void pairs(const float* p, I q, F& r0, F& r1) {
    for (int i = 0; i < W; i++) { r0[i] = p[q[i]]; r1[i] = p[q[i] + 1]; }
}
#endif

// out[0..1] = sum over the complex numbers in v.
inline void fold(F v, float* out) {
#if defined(AVX512)
    const __m256 w = _mm256_add_ps(_mm512_castps512_ps256((__m512)v), _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd((__m512)v), 1)));
    const __m128 u = _mm_add_ps(_mm256_castps256_ps128(w), _mm256_extractf128_ps(w, 1));
    _mm_storel_pi(reinterpret_cast<__m64*>(out), _mm_add_ps(u, _mm_movehl_ps(u, u)));
#elif defined(AVX2)
    const __m128 u = _mm_add_ps(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1));
    _mm_storel_pi(reinterpret_cast<__m64*>(out), _mm_add_ps(u, _mm_movehl_ps(u, u)));
#else
    out[0] = v[0] + v[2];
    out[1] = v[1] + v[3];
#endif
}

// Adds four neighbours to each of W lines: base[at[i] + n] += w_n[i].
inline void add_fours(float* base, I at, F w0, F w1, F w2, F w3) {
    alignas(64) int where[W];
    store(where, at);
#if defined(AVX2)
    auto add = [&](int i, __m128 w) { float* p = base + where[i]; _mm_storeu_ps(p, _mm_add_ps(_mm_loadu_ps(p), w)); };
#if defined(AVX512)
    const __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps((__m512)w0, (__m512)w1)), b = _mm512_castps_pd(_mm512_unpacklo_ps((__m512)w2, (__m512)w3));
    const __m512d c = _mm512_castps_pd(_mm512_unpackhi_ps((__m512)w0, (__m512)w1)), d = _mm512_castps_pd(_mm512_unpackhi_ps((__m512)w2, (__m512)w3));
    const __m512 fours[4] = {_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)), _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)),
                             _mm512_castpd_ps(_mm512_unpacklo_pd(c, d)), _mm512_castpd_ps(_mm512_unpackhi_pd(c, d))};
    for (int i = 0; i < 4; i++) {
        add(i, _mm512_castps512_ps128(fours[i]));
        add(4 + i, _mm512_extractf32x4_ps(fours[i], 1));
        add(8 + i, _mm512_extractf32x4_ps(fours[i], 2));
        add(12 + i, _mm512_extractf32x4_ps(fours[i], 3));
    }
#else
    const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps((__m256)w0, (__m256)w1)), b = _mm256_castps_pd(_mm256_unpacklo_ps((__m256)w2, (__m256)w3));
    const __m256d c = _mm256_castps_pd(_mm256_unpackhi_ps((__m256)w0, (__m256)w1)), d = _mm256_castps_pd(_mm256_unpackhi_ps((__m256)w2, (__m256)w3));
    const __m256 fours[4] = {_mm256_castpd_ps(_mm256_unpacklo_pd(a, b)), _mm256_castpd_ps(_mm256_unpackhi_pd(a, b)),
                             _mm256_castpd_ps(_mm256_unpacklo_pd(c, d)), _mm256_castpd_ps(_mm256_unpackhi_pd(c, d))};
    for (int i = 0; i < 4; i++) {
        add(i, _mm256_castps256_ps128(fours[i]));
        add(4 + i, _mm256_extractf128_ps(fours[i], 1));
    }
#endif
#else
    for (int i = 0; i < W; i++) {
        float* p = base + where[i];
        p[0] += w0[i];
        p[1] += w1[i];
        p[2] += w2[i];
        p[3] += w3[i];
    }
#endif
}

// sin(2 pi u), |u| <= 1/4, absolute error about 1e-6
inline F sine(F u) {
    const F t = u * u;
    return ((((39.657474f * t - 76.549782f) * t + 81.601004f) * t - 41.341655f) * t + 6.2831852f) * u;
}

// u less the nearest whole number, |u| < 2^31
inline F turned(F u) {
    const F half = (F)(((I)u & int(0x80000000)) | (I)all(0.5f));
    return u - to_float(to_int(u + half));
}

// sin(2 pi u), |u| <= 1/2
inline F sine_of_turn(F u) {
    const F side = (F)(((I)u & int(0x80000000)) | (I)all(0.5f));
    return sine(select(size(u) > 0.25f, side - u, u));
}

// cos(2 pi u), |u| <= 1/2
inline F cosine_of_turn(F u) { return sine(0.25f - size(u)); }

}  // namespace
