#include "memory/retrieval/Scan.h"

#include <QTest>
#include <cmath>
#include <random>

using namespace companion::memory;

class TestScan : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void every_kernel_agrees_with_the_scalar_one();
    void the_scalar_kernel_agrees_with_doubles();
    void halves_come_back_as_near_as_halves_are();
    void bytes_are_little_endian_and_odd_ones_refused();
    void unaligned_rows_are_read();
};

namespace {

std::vector<float> noise(size_t count, uint seed)
{
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<float> out(count);
    for (float &x : out)
        x = uniform(random);
    return out;
}

} // namespace

void TestScan::every_kernel_agrees_with_the_scalar_one()
{
    const auto kernels = scanKernels();
    QCOMPARE(kernels[0].name, "scalar");
    for (const size_t dimension : {1U, 7U, 8U, 15U, 16U, 17U, 100U, 128U, 333U, 1536U})
        for (const size_t rows : {0U, 1U, 3U, 64U}) {
            const auto matrix = toHalves(noise(dimension * rows, 1));
            const auto query = noise(dimension, 2);
            std::vector<float> expected(rows);
            kernels[0].run(matrix.data(), query.data(), dimension, rows, expected.data());
            for (const ScanKernel &kernel : kernels) {
                std::vector<float> out(rows, NAN);
                kernel.run(matrix.data(), query.data(), dimension, rows, out.data());
                for (size_t i = 0; i < rows; ++i)
                    QVERIFY2(std::abs(out[i] - expected[i]) < 1e-4F * float(dimension), kernel.name);
            }
        }
}

void TestScan::the_scalar_kernel_agrees_with_doubles()
{
    const auto matrix = toHalves(noise(300, 5));
    const auto query = noise(100, 6);
    std::vector<float> out(3);
    dotProducts(matrix, query, out);
    const auto floats = toFloats(matrix);
    for (size_t row = 0; row < 3; ++row) {
        double sum = 0;
        for (size_t d = 0; d < 100; ++d)
            sum += double(floats[row * 100 + d]) * double(query[d]);
        QVERIFY(std::abs(sum - double(out[row])) < 1e-4);
    }
}

void TestScan::halves_come_back_as_near_as_halves_are()
{
    const auto values = noise(10'000, 9);
    const auto back = toFloats(toHalves(values));
    for (size_t i = 0; i < values.size(); ++i)
        QVERIFY(std::abs(values[i] - back[i]) <= std::max(1e-7F, std::abs(values[i]) / 1024));
    QCOMPARE(toFloats(toHalves(std::vector{1e9F, -1e9F})), (std::vector{65504.0F, -65504.0F}));
}

void TestScan::bytes_are_little_endian_and_odd_ones_refused()
{
    QCOMPARE(toBytes(std::vector{1.0F}).toHex(), QByteArray("003c"));
    QCOMPARE(toFloats(halvesFromBytes(toBytes(std::vector{0.5F, -2.0F}))), (std::vector{0.5F, -2.0F}));
    QVERIFY(halvesFromBytes(QByteArray("abc")).empty());
}

void TestScan::unaligned_rows_are_read()
{
    const auto matrix = toHalves(noise(401, 1));
    const auto query = noise(100, 2);
    std::vector<float> expected(4);
    const std::vector<Half> moved(matrix.begin() + 1, matrix.end());
    dotProducts(moved, query, expected);
    std::vector<float> out(4);
    dotProducts(std::span(matrix).subspan(1), query, out);
    QCOMPARE(out, expected);
}

QTEST_GUILESS_MAIN(TestScan)
#include "tst_Scan.moc"
