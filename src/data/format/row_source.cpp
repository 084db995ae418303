#include "row_source.hpp"

namespace tcrops::data {

CsvRows::CsvRows(std::istream& in, std::string name)
    : RowSource(name), csv_(in, std::move(name), kDetectSeparator) {}

bool CsvRows::next() {
  const bool is_there = csv_.next(fields_);
  views_.assign(fields_.begin(), fields_.end());
  return is_there;
}

void CsvRows::leave_quotes() {
  if (csv_.separator() == '\t' && !csv_.saw_quote()) csv_.set_quoting(CsvQuoting::kNone);
}

bool GivenRows::next() {
  if (line_ > table_.rows()) return false;
  ++line_;
  return true;
}

std::span<const std::string_view> GivenRows::fields() const {
  return line_ == 1 ? std::span(table_.names) : table_.row(line_ - 2);
}

std::vector<std::string> GivenRows::take_fields() { return {fields().begin(), fields().end()}; }

}  // namespace tcrops::data
