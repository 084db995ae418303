#include <tcrops/core/error.hpp>
#include <tcrops/data/csv.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::data {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 16U;
constexpr std::size_t kMaximumRecordBytes = std::size_t{1} << 20U;
constexpr int kEnd = -1;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool ends_line(int c) { return c == '\n' || c == '\r'; }

}  // namespace

CsvReader::CsvReader(std::istream& in, std::string name, char separator)
    : in_(in), name_(std::move(name)), separator_(separator) {}

void CsvReader::fail(std::size_t line, const std::string& problem) const {
  throw Error(ExitCode::kInputData, fmt::format("{}:{}: {}", name_, line, problem));
}

bool CsvReader::refill() {
  buffer_.resize(kBlockBytes);
  in_.read(buffer_.data(), static_cast<std::streamsize>(kBlockBytes));
  if (in_.bad()) fail(next_line_, "reading stopped with an input error; check the disk or network");
  buffer_.resize(static_cast<std::size_t>(in_.gcount()));
  at_ = 0;
  return !buffer_.empty();
}

void CsvReader::start() {
  started_ = true;
  refill();
  if (buffer_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  if (separator_ == kDetectSeparator) separator_ = detect_separator();
}

char CsvReader::detect_separator() const {
  const std::size_t begin = std::min(buffer_.find_first_not_of("\r\n", at_), buffer_.size());
  const std::size_t end = std::min(buffer_.find_first_of("\r\n", begin), buffer_.size());
  const std::string_view first(buffer_.data() + begin, end - begin);
  char most = ',';
  for (const char separator : {'\t', ';'}) {
    if (std::count(first.begin(), first.end(), separator) >
        std::count(first.begin(), first.end(), most)) {
      most = separator;
    }
  }
  return most;
}

int CsvReader::peek() {
  if (at_ == buffer_.size() && !refill()) return kEnd;
  return static_cast<unsigned char>(buffer_[at_]);
}

void CsvReader::count_bytes(std::size_t bytes) {
  record_bytes_ += bytes;
  if (record_bytes_ <= kMaximumRecordBytes) return;
  fail(line_, "the record that begins here is longer than 1 MiB; is a quote left open?");
}

void CsvReader::append_until(std::string& field, std::size_t end) {
  count_bytes(end - at_);
  field.append(buffer_, at_, end - at_);
  at_ = end;
}

std::string_view CsvReader::take_line_end() {
  ++next_line_;
  if (buffer_[at_++] == '\n') return "\n";
  if (peek() != '\n') return "\r";
  ++at_;
  return "\r\n";
}

void CsvReader::read_plain(std::string& field) {
  while (peek() != kEnd) {
    const auto begin = buffer_.begin() + static_cast<std::ptrdiff_t>(at_);
    const auto stop = std::find_if(begin, buffer_.end(), [this](char c) {
      return c == separator_ || ends_line(c) || c == '\0';
    });
    append_until(field, static_cast<std::size_t>(stop - buffer_.begin()));
    if (at_ == buffer_.size()) continue;
    if (buffer_[at_] == '\0') fail(next_line_, "a NUL byte; save the table as plain UTF-8 text");
    return;
  }
}

void CsvReader::read_quoted(std::string& field) {
  saw_quote_ = true;
  const std::size_t opened = next_line_;
  ++at_;
  for (;;) {
    if (peek() == kEnd) fail(opened, "the quote opened in this record is never closed");
    constexpr std::string_view kSpecial("\"\r\n\0", 4);
    append_until(field, std::min(buffer_.find_first_of(kSpecial, at_), buffer_.size()));
    if (at_ == buffer_.size()) continue;
    if (buffer_[at_] == '\0') fail(next_line_, "a NUL byte; save the table as plain UTF-8 text");
    count_bytes(1);
    if (ends_line(buffer_[at_])) {
      field += take_line_end();
      continue;
    }
    ++at_;
    if (peek() != '"') break;
    field += '"';
    ++at_;
  }
  const int after = peek();
  if (after == kEnd || ends_line(after) || after == static_cast<unsigned char>(separator_)) return;
  fail(next_line_, "text after a closing quote; double a quote that belongs to the value");
}

bool CsvReader::next(std::vector<std::string>& fields) {
  if (!started_) start();
  while (ends_line(peek())) take_line_end();
  line_ = next_line_;
  record_bytes_ = 0;
  if (peek() == kEnd) {
    fields.clear();
    return false;
  }
  for (std::size_t count = 1;; ++count) {
    // Strings of the record before are reused: no allocation per field.
    if (count > fields.size()) fields.emplace_back();
    std::string& field = fields[count - 1];
    field.clear();
    if (peek() == '"' && quoting_ == CsvQuoting::kRfc4180) {
      read_quoted(field);
    } else {
      read_plain(field);
    }
    const int after = peek();
    if (after == kEnd || ends_line(after)) {
      fields.resize(count);
      if (after != kEnd) take_line_end();
      return true;
    }
    ++at_;
    count_bytes(1);
  }
}

void append_csv(std::string& out, const std::vector<std::string>& fields, char separator) {
  const std::string special{separator, '"', '\r', '\n'};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += separator;
    const std::string& field = fields[i];
    const bool blank_line = fields.size() == 1 && field.empty();
    if (!blank_line && field.find_first_of(special) == std::string::npos) {
      out += field;
      continue;
    }
    out += '"';
    for (const char c : field) {
      if (c == '"') out += '"';
      out += c;
    }
    out += '"';
  }
  out += '\n';
}

}  // namespace tcrops::data
