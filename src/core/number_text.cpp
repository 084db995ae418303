#include <tcrops/core/number_text.hpp>

#include <array>
#include <charconv>
#include <stdexcept>

namespace tcrops {
namespace {

// Of a double with all its digits before the point, and some behind it.
constexpr std::size_t kLongest = 400;

std::string text_of(double value, std::chars_format form, int precision) {
  std::array<char, kLongest> text{};
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), value, form, precision);
  if (error != std::errc()) throw std::length_error("a number with too many decimals");
  return {text.data(), end};
}

}  // namespace

std::string general_text(double value, int digits) {
  return text_of(value, std::chars_format::general, digits);
}

std::string fixed_text(double value, int decimals) {
  return text_of(value, std::chars_format::fixed, decimals);
}

}  // namespace tcrops
