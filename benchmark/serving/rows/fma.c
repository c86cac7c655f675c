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

/* The same of bytes: each 32-bit lane adds four products. 0 where the processor has no instruction for it.
 * A variable for each sum and the instruction itself: of an array GCC 12 makes copies, with the intrinsic as without,
 * which took three fifths of the time on an Intel Xeon (Cascade Lake) and none on an AMD EPYC. */
#if defined(__AVX512VNNI__)
typedef int lanes __attribute__((vector_size(64)));
#define DOT(i) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum##i) : "v"(a), "v"(b));
#elif defined(__AVXVNNI__)
typedef int lanes __attribute__((vector_size(32)));
#define DOT(i) __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum##i) : "x"(a), "x"(b));
#endif

#if defined(DOT)
#define TWELVE(each) each(0) each(1) each(2) each(3) each(4) each(5) each(6) each(7) each(8) each(9) each(10) each(11)
#define SUM(i) lanes sum##i = (lanes){0} + i;
#define FIRST(i) +sum##i[0]
#endif

double dot_loop(long rounds, float *out) {
#if defined(DOT)
    lanes a = (lanes){0} + 0x03030303, b = (lanes){0} + 0x01010101;
    TWELVE(SUM)
    for (long r = 0; r < rounds; r++) {
        TWELVE(DOT)
    }
    *out = 0 TWELVE(FIRST);
    return 2.0 * 12 * sizeof(lanes) * rounds;
#else
    *out = 0;
    return 0 * rounds;
#endif
}
