constexpr int W = 8;
#include "das.hpp"
#include "deposit.hpp"
#include "motion.hpp"
#include "remap.hpp"
#include "slice.hpp"
extern const Kernels kernels_avx2;
const Kernels kernels_avx2{"avx2", W, das_plan, das_slab, remap_row, deposit_tile, slice_column, motion_block};
