#pragma once

#include <QByteArray>
#include <cstdint>
#include <span>
#include <vector>

namespace companion::memory {

// IEEE half floats, as stored in bytea (little-endian).
using Half = uint16_t;

std::vector<Half> toHalves(std::span<const float> vector);
std::vector<float> toFloats(std::span<const Half> halves);
// The same as bytes for the database; fromBytes gives an empty vector for an odd number of bytes.
QByteArray toBytes(std::span<const float> vector);
std::vector<Half> halvesFromBytes(QByteArrayView bytes);

// out[i] = row i · query, for `rows` = out.size() rows of query.size() halves each, one after another.
// Exact but for the order of additions. With AVX2 and F16C where the processor has them, else plain C++.
void dotProducts(std::span<const Half> matrix, std::span<const float> query, std::span<float> out);

// The forms that this processor has, for tests and benchmarks: "scalar" is always first.
struct ScanKernel
{
    const char *name;
    void (*run)(const Half *matrix, const float *query, size_t dimension, size_t rows, float *out);
};
std::vector<ScanKernel> scanKernels();

} // namespace companion::memory
