#include "quick_rows.hpp"

#include "json_rows.hpp"
#include "text_scan.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace tcrops::serve {
namespace {

// Reads the rows that most bodies hold, in one pass and in place. The '\0' behind the body ends
// every loop.
class QuickRows {
 public:
  QuickRows(const std::string& body, std::size_t most_rows)
      : most_rows_(most_rows), at_(body.c_str()), end_(at_ + body.size()) {}

  std::optional<data::TextTable> read() {
    const bool is_known = take('{') && take_text() && value_ == "rows" && take(':') &&
                          take_rows() && take('}') && is_at_end() && !table_.names.empty();
    if (!is_known || !data::are_plain_names(table_.names)) return std::nullopt;
    return std::move(table_);
  }

 private:
  void skip_blanks() {
    while (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r') ++at_;
  }
  bool is_at_end() {
    skip_blanks();
    return at_ == end_;
  }
  bool take(char wanted) {
    if (*at_ != wanted) skip_blanks();
    if (*at_ != wanted) return false;
    ++at_;
    return true;
  }

  bool take_rows() {
    if (!take('[')) return false;
    const char* const begin = at_;
    do {
      if (!take('{') || !begin_row() || !take_row()) return false;
      if (rows_ == 1) expect_rows(static_cast<std::size_t>(at_ - begin));
    } while (take(','));
    return take(']');
  }

  // Mostly rows are about as long as the first.
  void expect_rows(std::size_t row_bytes) {
    const std::size_t likely = static_cast<std::size_t>(end_ - at_) / row_bytes + 2;
    table_.fields.reserve(std::min(likely, most_rows_) * table_.names.size());
  }

  bool begin_row() {
    if (++rows_ > most_rows_) return false;
    next_ = 0;
    begin_ = table_.fields.size();
    table_.fields.resize(begin_ + table_.names.size());
    return true;
  }

  bool take_row() {
    if (take('}')) return true;
    do {
      if (!take_key() || !take_value() || value_.size() > data::kLongestPlainText) return false;
      table_.fields[begin_ + column_] = value_;
    } while (take(','));
    return take('}');
  }

  // With the colon. Most rows have the keys of the one before, in its order and spacing.
  bool take_key() {
    if (next_ < leads_.size() && begins_with(at_, end_, leads_[next_])) {
      at_ += leads_[next_].size();
      column_ = next_++;
      return true;
    }
    const char* const begin = at_;
    if (!take_text() || !find_column(value_) || !take(':')) return false;
    leads_[column_] = {begin, static_cast<std::size_t>(at_ - begin)};
    next_ = column_ + 1;
    return true;
  }

  bool find_column(std::string_view name) {
    const auto& names = table_.names;
    const auto found = std::find(names.begin(), names.end(), name);
    column_ = static_cast<std::size_t>(found - names.begin());
    return found != names.end() || add_column(name);
  }

  // A column that only a later row has moves all rows before it, which is not done often.
  bool add_column(std::string_view name) {
    constexpr std::size_t kMostMoves = 8;
    const std::size_t width = table_.names.size();
    if (width == kMostColumns) return false;
    table_.names.push_back(name);
    leads_.emplace_back();
    if (rows_ == 1) {
      table_.fields.emplace_back();
      return true;
    }
    if (++moves_ > kMostMoves) return false;
    std::vector<std::string_view> wider(rows_ * (width + 1));
    for (std::size_t row = 0; row < rows_; ++row) {
      std::copy_n(table_.fields.data() + row * width, width, wider.data() + row * (width + 1));
    }
    table_.fields = std::move(wider);
    begin_ = (rows_ - 1) * (width + 1);
    return true;
  }

  bool take_value() {
    if (*at_ != '"') skip_blanks();
    switch (*at_) {
      case '"':
        return take_text();
      case 'n':
        return take_word("null", "");
      case 't':
        return take_word("true", "true");
      case 'f':
        return take_word("false", "false");
      default:
        return take_number();
    }
  }

  bool take_word(std::string_view word, std::string_view meaning) {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word))
      return false;
    at_ += word.size();
    value_ = meaning;
    return true;
  }

  // Printable ASCII without escapes.
  bool take_text() {
    if (!take('"')) return false;
    const char* const begin = at_;
    at_ = end_of_plain(at_, end_);
    if (*at_ != '"') return false;
    value_ = {begin, static_cast<std::size_t>(at_ - begin)};
    ++at_;
    return true;
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  // One whose text is kept as it stands: no exponent, no minus zero, not very long.
  bool take_number() {
    constexpr std::ptrdiff_t kMostDigits = 18;
    const char* const begin = at_;
    if (*at_ == '-') ++at_;
    const char* const digits = at_;
    while (is_digit(*at_)) ++at_;
    const bool is_whole = *at_ != '.';
    if (at_ == digits || (*digits == '0' && at_ - digits > 1)) return false;
    if (is_whole && *digits == '0' && digits != begin) return false;
    if (!is_whole) {
      ++at_;
      if (!is_digit(*at_)) return false;
      while (is_digit(*at_)) ++at_;
    }
    if (at_ - digits > kMostDigits || *at_ == 'e' || *at_ == 'E') return false;
    value_ = {begin, static_cast<std::size_t>(at_ - begin)};
    return true;
  }

  std::size_t most_rows_;
  data::TextTable table_;
  std::vector<std::string_view> leads_;  // of each column its key and colon, as they came last
  const char* at_;
  const char* end_;
  std::string_view value_;  // that was read last
  std::size_t column_ = 0;  // of the key that was read last
  std::size_t rows_ = 0;
  std::size_t begin_ = 0;  // of the row's fields
  std::size_t next_ = 0;   // column of the key that is likeliest to come
  std::size_t moves_ = 0;
};

}  // namespace

std::optional<data::TextTable> quick_rows(const std::string& body, std::size_t most_rows) {
  return QuickRows(body, most_rows).read();
}

}  // namespace tcrops::serve
