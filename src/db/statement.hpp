#pragma once

#include <tcrops/db/database.hpp>

#include <deque>
#include <soci/soci.h>
#include <span>
#include <string_view>

namespace tcrops::db {

// One statement with its parameters bound by name, to be run once. Rows are read from its back end,
// since SOCI's own rows guess at types by the declared one. `parameters` must outlive it. Throws
// what SOCI throws.
class Statement {
 public:
  Statement(soci::session& session, std::string_view sql, std::span<const Value> parameters);

  // True: the back end holds a first row.
  bool run() { return statement_.execute(true); }

  template <class BackEnd>
  [[nodiscard]] BackEnd& back_end() {
    return static_cast<BackEnd&>(*statement_.get_backend());
  }
  // How many rows it changed; negative: SOCI cannot tell.
  [[nodiscard]] std::int64_t changed() { return statement_.get_affected_rows(); }

 private:
  void bind(const Value& value, const std::string& name);

  // What SOCI points to: a deque leaves its elements where they are.
  std::deque<long long> integers_;
  std::deque<double> reals_;
  const std::string nothing_;
  soci::indicator given_ = soci::i_ok;
  soci::indicator null_ = soci::i_null;
  soci::statement statement_;
};

}  // namespace tcrops::db
