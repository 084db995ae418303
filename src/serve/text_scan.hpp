#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <string_view>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tcrops::serve {

// Of a text that a '\0' ends, at `end`: nothing behind that is read. 16 bytes at a time where the
// processor has that.

// Whether it is printable ASCII that stands for itself in a text of JSON.
inline bool is_plain(char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }

// The first that is not plain; `end` is not.
inline const char* end_of_plain(const char* at, [[maybe_unused]] const char* end) {
#if defined(__SSE2__)
  for (; end - at >= 15; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // Signed: what is no ASCII is below a blank, too.
    const __m128i is_low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(' '));
    const __m128i is_high = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\x7F'));
    const __m128i is_quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i is_escape = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    const auto other = static_cast<unsigned>(_mm_movemask_epi8(
        _mm_or_si128(_mm_or_si128(is_low, is_high), _mm_or_si128(is_quote, is_escape))));
    if (other != 0) return at + std::countr_zero(other);
  }
#endif
  while (is_plain(*at)) ++at;
  return at;
}

// Whether the text from `at` on begins with `wanted`, which lies in the same text before it.
inline bool begins_with(const char* at, const char* end, std::string_view wanted) {
#if defined(__SSE2__)
  if (wanted.size() <= 16 && end - at >= 15) {
    const __m128i is_same =
        _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)),
                       _mm_loadu_si128(reinterpret_cast<const __m128i*>(wanted.data())));
    const auto other = ~static_cast<unsigned>(_mm_movemask_epi8(is_same));
    return static_cast<std::size_t>(std::countr_zero(other)) >= wanted.size();
  }
#endif
  return static_cast<std::size_t>(end - at) >= wanted.size() &&
         std::memcmp(at, wanted.data(), wanted.size()) == 0;
}

}  // namespace tcrops::serve
