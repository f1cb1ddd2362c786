constexpr int W = 4;
#include "das.hpp"
#include "deposit.hpp"
#include "motion.hpp"
#include "remap.hpp"
#include "slice.hpp"
extern const Kernels kernels_neon;
const Kernels kernels_neon{"neon", W, das_plan, das_slab, remap_row, deposit_tile, slice_column, motion_block};
