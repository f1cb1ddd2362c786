// Which instruction sets this build has, which of them this processor runs, and the C functions that cut jobs for them.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include "interface.hpp"
#include "pool.hpp"

#define API extern "C" __attribute__((visibility("default")))

extern const Kernels kernels_plain;
#if defined(__x86_64__)
extern const Kernels kernels_avx2, kernels_avx512;
static const Kernels* const built[] = {&kernels_avx512, &kernels_avx2, &kernels_plain};
// cpuid by hand: under zig `__builtin_cpu_supports` compiles, links and is always false, and `target_clones` with it.
static bool bit(unsigned word, int n) { return word >> n & 1; }
static bool runs(const Kernels& k) {
    if (&k == &kernels_plain) return true;
    unsigned a, b, c, d, features, xcr0, high;
    if (!__get_cpuid(1, &a, &b, &features, &d) || !bit(features, 27)) return false;           // OSXSAVE
    __asm__("xgetbv" : "=a"(xcr0), "=d"(high) : "c"(0));                                      // registers the system saves
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
    const bool avx2 = (xcr0 & 0x06) == 0x06 && bit(b, 5) && bit(features, 12);                // AVX2, FMA
    return &k == &kernels_avx2 ? avx2 : avx2 && (xcr0 & 0xe6) == 0xe6 && bit(b, 16) && bit(b, 17);   // AVX-512 F, DQ
}
#elif defined(__aarch64__)
extern const Kernels kernels_neon;
static const Kernels* const built[] = {&kernels_neon, &kernels_plain};
static bool runs(const Kernels&) { return true; }         // NEON is part of AArch64
#else
static const Kernels* const built[] = {&kernels_plain};
static bool runs(const Kernels&) { return true; }
#endif

static const Kernels* find(const char* name) {
    for (const Kernels* k : built)
        if (runs(*k) && (!*name || !strcmp(name, k->name))) return k;
    return nullptr;
}

static void* room(long bytes) { return aligned_alloc(64, size_t((bytes + 127) / 64 * 64)); }
static long rounded(long floats) { return (floats + 15) / 16 * 16; }     // to the widest vector

int das_block(const DelayAndSum& d, int width) {
    const int some = d.place ? 1024 : 16384 / width / d.transmits;       // what is kept of them stays in the cache
    return some < 8 ? 8 : some < d.columns ? some : d.columns;
}
long das_kept(const DelayAndSum& d, int width) { return long(das_block(d, width)) * (d.place ? 1 : d.transmits); }
long das_floats(const DelayAndSum& d, int width) {
    const long tables = 3L * width * (d.place ? d.n_distances : d.elements), columns = 3L * width * d.columns;
    return rounded(columns + 2L * width * das_kept(d, width) + 2L * (das_block(d, width) + width) + tables + width);
}
long remap_floats(const Remap& d) { return rounded(6L * (d.n_frequencies + 16)); }
long slice_floats(const Slice& d, int width) { return rounded(3L * (d.n_axial + 2 * width + 16) + 3 * (256 + 4 * width) + width); }
long deposit_floats(const Deposit& d, int width) { return rounded(long(width) * (d.n_samples + 2 * MARGIN)); }

// Every function gives 0 where all went well, 1 where memory ran out, 2 where there are no such instructions.
enum { DONE, NO_MEMORY, NO_INSTRUCTIONS };

API int insonate_abi() { return ABI; }

API const char* insonate_instructions(const char* name) {
    const Kernels* k = find(name);
    return k ? k->name : "";
}

namespace {

struct DasJob {
    const DelayAndSum& d;
    const Kernels& k;
    int stride, *tops;
    short* bounds;
    float *re, *im, *scratch;
    long floats;
};

// One record, real and imaginary parts apart; vectors may read past its end, where there is silence.
void part(void* job, int, int i) {
    const DasJob& j = *static_cast<DasJob*>(job);
    const float* from = j.d.samples + 2L * i * j.d.n_samples;
    float *re = j.re + long(i) * j.stride, *im = j.im + long(i) * j.stride;
    for (int t = 0; t < j.d.n_samples; t++) re[t] = from[2 * t], im[t] = from[2 * t + 1];
    for (int t = j.d.n_samples; t < j.stride; t++) re[t] = im[t] = 0;
}
void plan(void* job, int, int column) {
    const DasJob& j = *static_cast<DasJob*>(job);
    j.k.das_plan(j.d, column, j.tops, j.bounds);
}
void slab(void* job, int slot, int i) {
    const DasJob& j = *static_cast<DasJob*>(job);
    const int last = (j.d.rows - 1) / j.k.width;                         // deep slabs cost most: first
    j.k.das_slab(j.d, j.re, j.im, j.stride, j.tops, j.bounds, last - i, j.scratch + slot * j.floats);
}

struct RemapJob { const Remap& d; const Kernels& k; float* scratch; long floats; };
struct SliceJob { const Slice& d; const Kernels& k; float* scratch; long floats; };
struct DepositJob { const Deposit& d; const Kernels& k; const float* sorted; float* scratch; long floats; };

// Scatterers by depth, roughly, in one pass of counting: enough to keep what is written to close together.
bool sort_by_depth(const Deposit& d, float* sorted) {
    constexpr int BINS = 4096;
    const long n = d.n_scatterers;
    int* count = static_cast<int*>(calloc(BINS + 1, sizeof(int)));
    if (!count) return false;
    float least = d.scatterers[2], most = least;
    for (long i = 1; i < n; i++) {
        const float z = d.scatterers[4 * i + 2];
        least = z < least ? z : least, most = z > most ? z : most;
    }
    const float per_bin = most > least ? (BINS - 1) / (most - least) : 0;
    auto bin = [&](long i) {
        const float at = (d.scatterers[4 * i + 2] - least) * per_bin;
        return at >= 0 && at < BINS ? int(at) : 0;                       // 0 also where no number came out
    };
    for (long i = 0; i < n; i++) count[bin(i) + 1]++;
    for (int b = 0; b < BINS; b++) count[b + 1] += count[b];
    for (long i = 0; i < n; i++) {
        const float* s = d.scatterers + 4 * i;
        float* to = sorted + SORTED * long(count[bin(i)]++);
        to[0] = s[0], to[1] = s[1] * s[1] + s[2] * s[2], to[2] = s[2], to[3] = s[3];
        to[4] = float((d.delays[i] - d.start) * d.rate) + MARGIN;
    }
    free(count);
    return true;
}

}  // namespace

API int insonate_delay_and_sum(const DelayAndSum* job, const char* instructions, int threads) {
    const DelayAndSum& d = *job;
    const Kernels* k = find(instructions);
    if (!k) return NO_INSTRUCTIONS;
    const int slabs = (d.rows + k->width - 1) / k->width, records = d.transmits * d.elements;
    DasJob j{d, *k, (d.n_samples + 4 * k->width + 15) / 16 * 16, nullptr, nullptr, nullptr, nullptr, nullptr, das_floats(d, k->width)};
    if (j.stride % 1024 == 0) j.stride += 16;                            // or all records fall on the same lines of the cache
    const long samples = long(records) * j.stride, plans = long(d.columns) * d.elements, bounds = 4L * slabs * d.columns;
    const long floats = rounded(samples) * 2 + rounded(plans) + rounded((bounds + 1) / 2) + threads * j.floats;
    float* memory = static_cast<float*>(room(floats * long(sizeof(float))));
    if (!memory) return NO_MEMORY;
    j.re = memory;
    j.im = j.re + rounded(samples);
    j.tops = reinterpret_cast<int*>(j.im + rounded(samples));
    j.bounds = reinterpret_cast<short*>(j.tops + rounded(plans));
    j.scratch = reinterpret_cast<float*>(j.tops + rounded(plans)) + rounded((bounds + 1) / 2);
    share_out(records, threads, &j, part);
    share_out(d.columns, threads, &j, plan);
    share_out(slabs, threads, &j, slab);
    free(memory);
    return DONE;
}

API int insonate_remap(const Remap* job, const char* instructions, int threads) {
    const Kernels* k = find(instructions);
    if (!k) return NO_INSTRUCTIONS;
    RemapJob j{*job, *k, nullptr, remap_floats(*job)};
    j.scratch = static_cast<float*>(room(threads * j.floats * long(sizeof(float))));
    if (!j.scratch) return NO_MEMORY;
    share_out(job->rows, threads, &j, [](void* p, int slot, int row) {
        const RemapJob& r = *static_cast<RemapJob*>(p);
        r.k.remap_row(r.d, row, r.scratch + slot * r.floats);
    });
    free(j.scratch);
    return DONE;
}

API int insonate_deposit(const Deposit* job, const char* instructions, int threads) {
    const Kernels* k = find(instructions);
    if (!k) return NO_INSTRUCTIONS;
    DepositJob j{*job, *k, nullptr, nullptr, deposit_floats(*job, k->width)};
    const long points = rounded(long(SORTED) * job->n_scatterers);
    float* memory = static_cast<float*>(room((points + threads * j.floats) * long(sizeof(float))));
    if (!memory || !sort_by_depth(*job, memory)) {
        free(memory);
        return NO_MEMORY;
    }
    j.sorted = memory;
    j.scratch = memory + points;
    share_out((job->elements + k->width - 1) / k->width, threads, &j, [](void* p, int slot, int tile) {
        const DepositJob& t = *static_cast<DepositJob*>(p);
        t.k.deposit_tile(t.d, t.sorted, tile, t.scratch + slot * t.floats);
    });
    free(memory);
    return DONE;
}

API int insonate_slice(const Slice* job, const char* instructions, int threads) {
    const Kernels* k = find(instructions);
    if (!k) return NO_INSTRUCTIONS;
    SliceJob j{*job, *k, nullptr, slice_floats(*job, k->width)};
    j.scratch = static_cast<float*>(room(threads * j.floats * long(sizeof(float))));
    if (!j.scratch) return NO_MEMORY;
    share_out(job->n_lateral, threads, &j, [](void* p, int slot, int column) {
        const SliceJob& s = *static_cast<SliceJob*>(p);
        s.k.slice_column(s.d, column, s.scratch + slot * s.floats);
    });
    free(j.scratch);
    return DONE;
}

API int insonate_motion(const Motion* job, const char* instructions, int threads) {
    const Kernels* k = find(instructions);
    if (!k) return NO_INSTRUCTIONS;
    struct Both { const Motion& d; const Kernels& k; } both{*job, *k};
    share_out((job->n_points + MOTION_BLOCK - 1) / MOTION_BLOCK, threads, &both, [](void* p, int, int block) {
        const Both& b = *static_cast<Both*>(p);
        b.k.motion_block(b.d, block);
    });
    return DONE;
}
