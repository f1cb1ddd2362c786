constexpr int W = 16;
#include "das.hpp"
#include "deposit.hpp"
#include "motion.hpp"
#include "remap.hpp"
#include "slice.hpp"
extern const Kernels kernels_avx512;
const Kernels kernels_avx512{"avx512", W, das_plan, das_slab, remap_row, deposit_tile, slice_column, motion_block};
