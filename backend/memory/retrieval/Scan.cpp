#include "memory/retrieval/Scan.h"

#include <QFloat16>
#include <QtEndian>
#include <algorithm>
#include <bit>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace companion::memory {

namespace {

float floatOf(Half half)
{
    return float(std::bit_cast<qfloat16>(half));
}

void scanScalar(const Half *matrix, const float *query, size_t dimension, size_t rows, float *out)
{
    for (size_t row = 0; row < rows; ++row, matrix += dimension) {
        float sum = 0;
        for (size_t d = 0; d < dimension; ++d)
            sum += floatOf(matrix[d]) * query[d];
        out[row] = sum;
    }
}

#if defined(__x86_64__)
// Two sums at once hide the latency of the multiply-add; the rest of a row that is no multiple of 8 goes one by one.
__attribute__((target("avx2,fma,f16c"))) void scanAvx2(const Half *matrix, const float *query, size_t dimension,
                                                       size_t rows, float *out)
{
    for (size_t row = 0; row < rows; ++row, matrix += dimension) {
        __m256 even = _mm256_setzero_ps();
        __m256 odd = _mm256_setzero_ps();
        size_t d = 0;
        for (; d + 16 <= dimension; d += 16) {
            const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(matrix + d));
            even = _mm256_fmadd_ps(_mm256_cvtph_ps(_mm256_castsi256_si128(halves)), _mm256_loadu_ps(query + d), even);
            odd = _mm256_fmadd_ps(_mm256_cvtph_ps(_mm256_extracti128_si256(halves, 1)), _mm256_loadu_ps(query + d + 8),
                                  odd);
        }
        for (; d + 8 <= dimension; d += 8)
            even = _mm256_fmadd_ps(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(matrix + d))),
                                   _mm256_loadu_ps(query + d), even);
        const __m256 sum = _mm256_add_ps(even, odd);
        __m128 four = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
        four = _mm_add_ps(four, _mm_movehl_ps(four, four));
        float total = _mm_cvtss_f32(_mm_add_ss(four, _mm_shuffle_ps(four, four, 1)));
        for (; d < dimension; ++d)
            total += _cvtsh_ss(matrix[d]) * query[d];
        out[row] = total;
    }
}
#endif

const ScanKernel &bestKernel()
{
    static const ScanKernel kernel = scanKernels().back();
    return kernel;
}

} // namespace

std::vector<ScanKernel> scanKernels()
{
    std::vector<ScanKernel> kernels{{"scalar", scanScalar}};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"))
        kernels.push_back({"avx2", scanAvx2});
#endif
    return kernels;
}

void dotProducts(std::span<const Half> matrix, std::span<const float> query, std::span<float> out)
{
    bestKernel().run(matrix.data(), query.data(), query.size(), out.size(), out.data());
}

std::vector<Half> toHalves(std::span<const float> vector)
{
    std::vector<Half> halves(vector.size());
    std::ranges::transform(vector, halves.begin(),
                           [](float x) { return std::bit_cast<Half>(qfloat16(std::clamp(x, -65504.0F, 65504.0F))); });
    return halves;
}

std::vector<float> toFloats(std::span<const Half> halves)
{
    std::vector<float> floats(halves.size());
    std::ranges::transform(halves, floats.begin(), floatOf);
    return floats;
}

QByteArray toBytes(std::span<const float> vector)
{
    std::vector<Half> halves = toHalves(vector);
    qToLittleEndian<Half>(halves.data(), qsizetype(halves.size()), halves.data());
    return {reinterpret_cast<const char *>(halves.data()), qsizetype(halves.size() * sizeof(Half))};
}

std::vector<Half> halvesFromBytes(QByteArrayView bytes)
{
    if (bytes.size() % qsizetype(sizeof(Half)) != 0)
        return {};
    std::vector<Half> halves(size_t(bytes.size()) / sizeof(Half));
    qFromLittleEndian<Half>(bytes.data(), qsizetype(halves.size()), halves.data());
    return halves;
}

} // namespace companion::memory
