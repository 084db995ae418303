#include "json_positions.hpp"

#include "field_value.hpp"

#include <fmt/format.h>

#include <algorithm>
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

constexpr std::size_t kAlwaysNoted = 2;  // levels
constexpr std::size_t kDeepestNoted = 6;
constexpr std::size_t kMostNotedBelow = 100'000;

// Builds nothing: only notes where keys and objects in lists stand.
class KeyRecorder {
 public:
  KeyRecorder(const std::string& text, std::string name, const std::size_t* count)
      : text_(text), lines_(text), name_(std::move(name)), count_(count) {}

  std::map<KeyPath, TextPosition> positions;
  Problems problems;

  bool null() { return value(); }
  bool boolean(bool) { return value(); }
  bool number_integer(Json::number_integer_t) { return value(); }
  bool number_unsigned(Json::number_unsigned_t) { return value(); }
  bool number_float(Json::number_float_t, const std::string&) { return value(); }
  bool string(std::string&) { return value(); }
  bool binary(Json::binary_t&) { return value(); }
  bool start_object(std::size_t) {
    value();
    // The parser has just taken the brace.
    if (!levels_.empty() && levels_.back().is_list && is_noted()) {
      positions.insert_or_assign(path(), lines_.at(*count_ - 1));
      ++noted_below_;
    }
    levels_.push_back({false, 0, {}});
    return true;
  }
  bool end_object() { return leave(); }
  bool start_array(std::size_t) {
    value();
    levels_.push_back({true, 0, {}});
    return true;
  }
  bool end_array() { return leave(); }

  bool key(std::string& key) {
    levels_.back().key = levels_.size() > kDeepestNoted ? std::string() : key;
    if (is_noted()) note(path());
    if (levels_.size() > kAlwaysNoted) ++noted_below_;
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
  // An object or list that has begun and not ended.
  struct Level {
    bool is_list;
    std::size_t items;  // of a list, begun so far
    std::string key;    // of an object, the last one
  };

  bool value() {
    if (!levels_.empty()) ++levels_.back().items;
    return true;
  }
  bool leave() {
    levels_.pop_back();
    return true;
  }

  [[nodiscard]] bool is_noted() const {
    if (levels_.size() <= kAlwaysNoted) return true;
    return levels_.size() <= kDeepestNoted && noted_below_ < kMostNotedBelow;
  }

  [[nodiscard]] KeyPath path() const {
    KeyPath path;
    for (const Level& level : levels_) {
      path.push_back(level.is_list ? std::to_string(level.items - 1) : level.key);
    }
    return path;
  }

  void note(KeyPath path) {
    // The parser has just taken the closing quote.
    const TextPosition position = lines_.at(opening_quote(text_, *count_ - 1));
    const auto [at, is_new] = positions.try_emplace(path, position);
    if (is_new) return;
    const KeyPath inside(path.begin() + 1, path.end());
    problems.push_back({place(position), path.front() + path_text(inside),
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
  std::vector<Level> levels_;
  std::size_t noted_below_ = 0;
};

}  // namespace

std::string path_text(const KeyPath& path) {
  std::string text;
  for (const std::string& part : path) {
    const bool is_number = !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
      return c >= '0' && c <= '9';
    });
    text += is_number ? fmt::format("[{}]", part) : "." + part;
  }
  return text;
}

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
