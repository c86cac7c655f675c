/* Fused multiply-adds that touch nothing but registers: what the processor can do at the very most.
 * Twelve independent sums keep every unit busy over an instruction's latency of four or five cycles. */
#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
typedef float vector __attribute__((vector_size(4 * LANES)));

/* Operations done (a multiply and an add are two); `out` keeps the compiler from leaving them out. */
double fma_loop(long rounds, float *out) {
    vector sums[12];
    for (int i = 0; i < 12; i++)
        for (int j = 0; j < LANES; j++) sums[i][j] = (float)(i + j);
    vector a = sums[0] * 0 + 0.999f, b = sums[0] * 0 + 0.001f;
    for (long r = 0; r < rounds; r++) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; i++) sums[i] = sums[i] * a + b;
    }
    float total = 0;
    for (int i = 0; i < 12; i++)
        for (int j = 0; j < LANES; j++) total += sums[i][j];
    *out = total;
    return 2.0 * 12 * LANES * rounds;
}
