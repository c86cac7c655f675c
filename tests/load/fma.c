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

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#include <immintrin.h>
#endif

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

/* The same of bytes: each 32-bit lane adds four products. 0 where the processor has no instruction for it. */
double dot_loop(long rounds, float *out) {
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#if defined(__AVX512VNNI__)
#define BYTES 64
    __m512i sums[12], a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(1);
    for (int i = 0; i < 12; i++) sums[i] = _mm512_set1_epi32(i);
#define DOT(sum) _mm512_dpbusd_epi32(sum, a, b)
#else
#define BYTES 32
    __m256i sums[12], a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(1);
    for (int i = 0; i < 12; i++) sums[i] = _mm256_set1_epi32(i);
#define DOT(sum) _mm256_dpbusd_avx_epi32(sum, a, b)
#endif
    for (long r = 0; r < rounds; r++) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; i++) sums[i] = DOT(sums[i]);
    }
    int copy[BYTES / 4], total = 0;
    for (int i = 0; i < 12; i++) {
        __builtin_memcpy(copy, &sums[i], BYTES);
        total += copy[0];
    }
    *out = (float)total;
    return 2.0 * 12 * BYTES * rounds;
#else
    *out = 0;
    return 0 * rounds;
#endif
}
