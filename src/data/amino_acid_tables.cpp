#include "amino_acid_tables.hpp"

#include "letters.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace tcrops::data {
namespace {

constexpr std::size_t kLetters = kAminoAcids.size();
template <class T>
using Matrix = std::array<std::array<T, kLetters>, kLetters>;

// Henikoff and Henikoff, Amino acid substitution matrices from protein blocks, PNAS 89:10915, 1992;
// in half bits; rows and columns as kAminoAcids.
constexpr Matrix<std::int8_t> kBlosum62 = {{
    {4, 0, -2, -1, -2, 0, -2, -1, -1, -1, -1, -2, -1, -1, -1, 1, 0, 0, -3, -2},       // A
    {0, 9, -3, -4, -2, -3, -3, -1, -3, -1, -1, -3, -3, -3, -3, -1, -1, -1, -2, -2},   // C
    {-2, -3, 6, 2, -3, -1, -1, -3, -1, -4, -3, 1, -1, 0, -2, 0, -1, -3, -4, -3},      // D
    {-1, -4, 2, 5, -3, -2, 0, -3, 1, -3, -2, 0, -1, 2, 0, 0, -1, -2, -3, -2},         // E
    {-2, -2, -3, -3, 6, -3, -1, 0, -3, 0, 0, -3, -4, -3, -3, -2, -2, -1, 1, 3},       // F
    {0, -3, -1, -2, -3, 6, -2, -4, -2, -4, -3, 0, -2, -2, -2, 0, -2, -3, -2, -3},     // G
    {-2, -3, -1, 0, -1, -2, 8, -3, -1, -3, -2, 1, -2, 0, 0, -1, -2, -3, -2, 2},       // H
    {-1, -1, -3, -3, 0, -4, -3, 4, -3, 2, 1, -3, -3, -3, -3, -2, -1, 3, -3, -1},      // I
    {-1, -3, -1, 1, -3, -2, -1, -3, 5, -2, -1, 0, -1, 1, 2, 0, -1, -2, -3, -2},       // K
    {-1, -1, -4, -3, 0, -4, -3, 2, -2, 4, 2, -3, -3, -2, -2, -2, -1, 1, -2, -1},      // L
    {-1, -1, -3, -2, 0, -3, -2, 1, -1, 2, 5, -2, -2, 0, -1, -1, -1, 1, -1, -1},       // M
    {-2, -3, 1, 0, -3, 0, 1, -3, 0, -3, -2, 6, -2, 0, 0, 1, 0, -3, -4, -2},           // N
    {-1, -3, -1, -1, -4, -2, -2, -3, -1, -3, -2, -2, 7, -1, -2, -1, -1, -2, -4, -3},  // P
    {-1, -3, 0, 2, -3, -2, 0, -3, 1, -2, 0, 0, -1, 5, 1, 0, -1, -2, -2, -1},          // Q
    {-1, -3, -2, 0, -3, -2, 0, -3, 2, -2, -1, 0, -2, 1, 5, -1, -1, -3, -3, -2},       // R
    {1, -1, 0, 0, -2, 0, -1, -2, 0, -2, -1, 1, -1, 0, -1, 4, 1, -2, -3, -2},          // S
    {0, -1, -1, -1, -2, -2, -2, -1, -1, -1, -1, 0, -1, -1, -1, 1, 5, 0, -2, -2},      // T
    {0, -1, -3, -2, -1, -3, -3, 3, -2, 1, 1, -3, -2, -2, -3, -2, 0, 4, -3, -1},       // V
    {-3, -2, -4, -3, 1, -2, -2, -3, -3, -2, -1, -4, -4, -2, -3, -3, -2, -3, 11, 2},   // W
    {-2, -2, -3, -2, 3, -3, 2, -1, -2, -1, -1, -2, -3, -1, -2, -2, -2, -1, 2, 7},     // Y
}};

// Scalar products of the points of blosum_mds, with the gap as the origin: every letter is 2 from
// it, so a.b = (4 + 4 - distance^2) / 2.
Matrix<double> products() {
  Matrix<double> result{};
  for (std::size_t a = 0; a < kLetters; ++a) {
    for (std::size_t b = 0; b < kLetters; ++b) {
      const double square = a == b ? 0.0 : std::min(4, 4 - blosum62(a, b));
      result[a][b] = 4.0 - square / 2.0;
    }
  }
  return result;
}

// Points with these scalar products: the lower triangle L with L L^T = products (Cholesky). Other
// solutions, like that of classical scaling by eigenvectors, are rotations of this one; this one is
// unique, while four eigenvalues of the 21 symbols are equal, so that rounding would choose. It
// exists, and no distance has to be changed, because the distances are Euclidean as they are: of
// the 21 eigenvalues of the centred products one is 0, as it must be, and the next is 0.083.
Matrix<double> points(const Matrix<double>& products) {
  Matrix<double> lower{};
  for (std::size_t i = 0; i < kLetters; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double rest = products[i][j];
      for (std::size_t k = 0; k < j; ++k) rest -= lower[i][k] * lower[j][k];
      lower[i][j] = i == j ? std::sqrt(rest) : rest / lower[j][j];
    }
  }
  return lower;
}

template <class Value>
Expansion::Table letter_table(Value&& value) {
  Expansion::Table table{.dims = kLetters, .values = std::vector<float>(kLetters, 0.0F)};
  for (std::size_t a = 0; a < kLetters; ++a) {
    for (std::size_t b = 0; b < kLetters; ++b)
      table.values.push_back(static_cast<float>(value(a, b)));
  }
  return table;
}

Expansion::Table number_table() {
  Expansion::Table table{.dims = 1, .values = {}};
  for (std::size_t code = 0; code <= kLetters; ++code)
    table.values.push_back(static_cast<float>(code));
  return table;
}

}  // namespace

int blosum62(std::size_t a, std::size_t b) { return kBlosum62.at(a).at(b); }

Expansion::Table amino_acid_table(const std::string& name) {
  if (name == "learned") return number_table();
  if (name == "onehot")
    return letter_table([](std::size_t a, std::size_t b) { return a == b ? 1.0 : 0.0; });
  if (name == "blosum")
    return letter_table([](std::size_t a, std::size_t b) { return blosum62(a, b) / 4.0; });
  const Matrix<double> lower = points(products());
  return letter_table([&](std::size_t a, std::size_t b) { return lower[a][b]; });
}

}  // namespace tcrops::data
