#include "json_positions.hpp"

#include "field_value.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <string_view>

namespace tcrops {
namespace {

// Line and column of an offset. Goes on from the last one, so that a whole text takes one pass.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text) : text_(text) {}

  TextPosition at(std::size_t offset) {
    if (offset < offset_) *this = LineCounter(text_);
    for (; offset_ < offset && offset_ < text_.size(); ++offset_) {
      if (text_[offset_] == '\n') {
        ++position_.line;
        position_.column = 1;
      } else {
        ++position_.column;
      }
    }
    return position_;
  }

 private:
  std::string_view text_;
  std::size_t offset_ = 0;
  TextPosition position_;
};

// From the closing quote of a text to its opening one, which never follows a backslash.
std::size_t opening_quote(const std::string& text, std::size_t closing) {
  std::size_t quote = closing;
  do {
    quote = text.rfind('"', quote - 1);
  } while (quote > 0 && text[quote - 1] == '\\');
  return quote;
}

// The parser names the last character it read: for a whole token in the wrong place, go to its
// first.
std::size_t error_start(const std::string& text, std::size_t last, const std::string& reason) {
  if (reason.find("unexpected string literal") != std::string::npos) {
    return opening_quote(text, last);
  }
  if (reason.find(" literal; expected") == std::string::npos) return last;
  constexpr std::string_view kWord = "+-.0123456789abcdefghijklmnopqrstuvwxyzE";
  while (last > 0 && kWord.find(text[last - 1]) != std::string_view::npos) --last;
  return last;
}

// Counts the characters that the parser has taken, which its own events do not tell.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* count) : at_(at), count_(count) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*count_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator old = *this;
    ++*this;
    return old;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* count_;
};

// Builds nothing: only notes where each key stands. Arrays are walked but not named.
class KeyRecorder {
 public:
  KeyRecorder(const std::string& text, std::string name, const std::size_t* count)
      : text_(text), lines_(text), name_(std::move(name)), count_(count) {}

  std::map<KeyPath, TextPosition> positions;
  Problems problems;

  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(Json::number_integer_t) { return true; }
  bool number_unsigned(Json::number_unsigned_t) { return true; }
  bool number_float(Json::number_float_t, const std::string&) { return true; }
  bool string(std::string&) { return true; }
  bool binary(Json::binary_t&) { return true; }
  bool start_object(std::size_t) { return deepen(1); }
  bool end_object() { return deepen(-1); }
  // Two levels, so that no key inside is of the first two.
  bool start_array(std::size_t) { return deepen(2); }
  bool end_array() { return deepen(-2); }

  bool key(std::string& key) {
    if (depth_ == 1) section_ = key;
    if (depth_ == 1) note({key});
    if (depth_ == 2) note({section_, key});
    return true;
  }

  bool parse_error(std::size_t offset, const std::string&, const Json::exception& e) {
    std::string reason = e.what();
    const std::size_t start = error_start(text_, offset == 0 ? 0 : offset - 1, reason);
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error …"
    if (const auto at = reason.find("] "); at != std::string::npos) reason.erase(0, at + 2);
    if (reason.starts_with("parse error at ")) reason.erase(0, reason.find(": ") + 2);
    syntax_error(start, shortened(valid_utf8(reason), 200));
    return false;
  }

  void syntax_error(std::size_t offset, const std::string& reason) {
    problems = {{place(lines_.at(offset)), "", "not valid JSON: " + reason}};
  }

 private:
  bool deepen(std::ptrdiff_t levels) {
    depth_ += levels;
    return true;
  }

  void note(KeyPath path) {
    // The parser has just taken the closing quote.
    const TextPosition position = lines_.at(opening_quote(text_, *count_ - 1));
    const auto [at, is_new] = positions.try_emplace(path, position);
    if (is_new) return;
    problems.push_back({place(position), fmt::format("{}", fmt::join(path, ".")),
                        fmt::format("given twice, first in line {} column {}; keep one",
                                    at->second.line, at->second.column)});
    at->second = position;
  }

  [[nodiscard]] Place place(TextPosition position) const {
    return {Origin::kFile, name_, position.line, position.column};
  }

  const std::string& text_;
  LineCounter lines_;
  std::string name_;
  const std::size_t* count_;
  std::ptrdiff_t depth_ = 0;
  std::string section_;
};

}  // namespace

PositionedJson parse_positioned_json(const std::string& text, const std::string& name) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) {
    return parse_positioned_json(text.substr(kByteOrderMark.size()), name);
  }
  std::size_t count = 0;
  KeyRecorder recorder(text, name, &count);
  const char* begin = text.data();
  const CountingIterator first(begin, &count);
  const CountingIterator last(begin + text.size(), &count);
  PositionedJson result;
  result.value = Json(Json::value_t::discarded);
  // The parser would take a NUL for the end of the text.
  const std::size_t nul = text.find('\0');
  if (nul != std::string::npos) recorder.syntax_error(nul, "a NUL byte; is this a text file?");
  if (nul == std::string::npos &&
      Json::sax_parse(first, last, &recorder, Json::input_format_t::json, /*strict=*/true,
                      /*ignore_comments=*/true)) {
    result.value = Json::parse(text, nullptr, /*allow_exceptions=*/true, /*ignore_comments=*/true);
  }
  result.positions = std::move(recorder.positions);
  result.problems = std::move(recorder.problems);
  return result;
}

}  // namespace tcrops
