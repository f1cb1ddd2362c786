// The jobs that the library takes, and the C interface it offers: plain fields only, mirrored in insonate_native/_library.py.
#pragma once

extern "C" {

// Delay and sum of one frame: each pixel's mean over transmits and elements in reach, turned back to the moment of the echo.
struct DelayAndSum {
    const float* samples;       // [transmits][elements][n_samples] complex
    const double* arrival;      // [transmits][rows][columns] when the wave passes the pixel, after the first sample [s]
    const double* starts;       // [transmits] time of the first sample [s]
    const double* x;            // [elements], rising [m]
    const double* below;        // [rows] depth below the elements, rising [m]
    const double* axial;        // [rows] depth [m]
    const double* lateral;      // [columns] [m]
    const int* place;           // [columns][elements] index of their distance in `distances`; null where few distances repeat
    const double* distances;    // [n_distances] [m]
    float* out;                 // [rows][columns] complex
    int transmits, elements, n_samples, rows, columns, n_distances;
    double frequency, rate, speed, f_number;
};

// A spectrum sampled on the circles of one plane wave: rows are Kx, columns Kz, interpolated along Kz.
struct Remap {
    const float* spectrum;      // [rows][columns] complex
    const double* lateral;      // [rows] Kx [rad/m]
    const double* k;            // [n_frequencies] wavenumbers, positive [rad/m]
    const float* pulse;         // [n_frequencies]
    const float* window;        // [WINDOW_STEPS + 2][2 * WINDOW_TAPS] weights at fractions of a step, each twice
    float* out;                 // [rows][n_frequencies] complex
    int rows, columns, n_frequencies, taps;
    double sine, cosine, step, repeats, middle, width, offset, least, full;
};

// Echoes of points as cubic splines of unit area at their moments, one line an element.
struct Deposit {
    const float* scatterers;    // [n_scatterers] x, y, z [m], amplitude
    const double* delays;       // [n_scatterers] when the wave passes [s]
    const double* x;            // [elements] [m]
    const float* directivity;   // [degree + 1] polynomial of odd degree in the squared sine, constant last
    float* out;                 // [elements][n_samples]
    int n_scatterers, elements, n_samples, degree;
    int soft, line;             // whether a soft baffle, and whether waves spread from lines
    double rate, start, speed, nearest;
};

// A body's volumes sliced along bent columns: see the reference for what a voxel holds.
struct Slice {
    const float* nodes;             // [n_lateral][n_nodes][3] places of tissue at rest, every `stride` samples [m]
    const unsigned char* voxels;    // [nx][ny][nz][8]
    const signed char* noise;       // [na][nb][nc], sides powers of two
    const float* gains;             // [3][64]
    const unsigned char* labels;    // [256]
    const float* echo_amplitudes;   // [256]
    const float* sheet_amplitudes;  // [256]
    const unsigned char* echo_codes;    // [256]
    const float* passing;           // [256]
    float* reflectivity;            // [n_lateral][n_axial]
    unsigned char* named;           // [n_lateral][n_axial]
    float* through;                 // [n_lateral][n_axial]
    int n_lateral, n_nodes, n_axial, stride, nx, ny, nz, na, nb, nc;
    int along, across;              // bytes from sample to sample of the noise on its first two axes; 1 on the third
    float origin[3], noise_step[3], lateral[3];
    float step, lateral_step, cosine, sine, edge_loss;
    float distance_step, thickness, footprint, near, same, edge, little, bent;
};

// One map of a body that moves: see insonate.simulation.motion for what each kind means.
struct Move {
    const double* table;        // of stations, or of a profile; null where there is none
    int kind, axis, n, flag;    // n stations along an axis
    double p[8];
};

// Maps from the body now to the body at rest, the outermost first; the other way when `forward`.
struct Motion {
    const double* points;       // [n_points][3] [m]
    const Move* moves;          // [n_moves]
    double* out;                // [n_points][3] [m]
    double* depth;              // [n_points] raised to the depth in fluid on the way back; null where nobody asks [m]
    int n_points, n_moves, forward;
};

}  // extern "C"

constexpr int WINDOW_STEPS = 250;   // of the table of weights, a fraction of one step
constexpr int WINDOW_TAPS = 8;      // that it has room for
constexpr int MOTION_BLOCK = 256;   // points that are carried together
constexpr int ABI = 1;              // of the structs above; raised with each change of them

// What every instruction set offers. Work is cut in jobs that may run at once; scratch belongs to one thread at a time.
struct Kernels {
    const char* name;
    int width;                  // floats in a vector
    void (*das_plan)(const DelayAndSum&, int column, int* tops, short* bounds);
    void (*das_slab)(const DelayAndSum&, const float* re, const float* im, int stride, const int* tops, const short* bounds, int slab, float* scratch);
    void (*remap_row)(const Remap&, int row, float* scratch);
    void (*deposit_tile)(const Deposit&, const float* sorted, int tile, float* scratch);
    void (*slice_column)(const Slice&, int column, float* scratch);
    void (*motion_block)(const Motion&, int block);
};

int das_block(const DelayAndSum&, int width);           // columns taken together
long das_kept(const DelayAndSum&, int width);           // of which moments are kept at once, over all transmits
long das_floats(const DelayAndSum&, int width);         // of scratch a thread needs
long remap_floats(const Remap&);
long deposit_floats(const Deposit&, int width);
long slice_floats(const Slice&, int width);
constexpr int SORTED = 5;                               // floats of a sorted scatterer: x, y^2 + z^2, z, amplitude, moment [samples]
constexpr int MARGIN = 8;                               // samples before and after a line that take what falls beside it
