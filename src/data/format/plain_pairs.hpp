#pragma once

#include "raw_record.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace tcrops::data {

// Most rows of most tables are pairs whose values are canonical already. This takes such a row over
// at once, and nothing that would need a finding.
class PlainPairs {
 public:
  // Both must outlive it.
  PlainPairs(const Header& header, const ReadOptions& options);

  // Fills an empty record as assemble() and make_canonical() would, without notes. False: the row
  // is to be read by them, into another record.
  [[nodiscard]] bool take(const RowText& row, Record& record) const;

 private:
  [[nodiscard]] bool take_chain(const RowText& row, Chain chain, Record& record) const;
  [[nodiscard]] bool take_epitope_and_mhc(const RowText& row, Record& record) const;
  [[nodiscard]] bool take_clone_id(const RowText& row, Record& record) const;
  [[nodiscard]] bool take_label(const RowText& row, Record& record) const;
  [[nodiscard]] bool take_extra(const RowText& row, Record& record) const;
  [[nodiscard]] bool is_complete(const Record& record) const;
  [[nodiscard]] std::string_view text(const RowText& row, Role role) const {
    const std::size_t at = position_[static_cast<std::size_t>(role)];
    return at < row.fields.size() ? row.fields[at] : std::string_view();
  }

  const Header& header_;
  const ReadOptions& options_;
  std::array<std::size_t, kRoleCount> position_{};  // of a column; beyond all when there is none
  bool applies_ = false;
  bool clone_id_is_number_ = false;  // or the record is refused
};

}  // namespace tcrops::data
