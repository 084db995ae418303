#pragma once

#include <tcrops/data/record.hpp>

#include <cstdint>
#include <vector>

namespace tcrops::stages {

// Recognises pairs of a TCR and an epitope that come again, in 16 bytes or less per pair. By a hash
// of 62 bits: among 10^8 pairs one is taken for another with a chance of about one in a thousand.
class RepeatSet {
 public:
  enum class Seen { kNew, kRepeat, kContradiction };
  // What was said of this pair before: nothing, the same, or (also) the other label. Records
  // without an epitope or a label are always new.
  [[nodiscard]] Seen add(const data::Record& record);

 private:
  void grow();
  [[nodiscard]] std::size_t slot_of(std::uint64_t hash) const;

  std::vector<std::uint64_t> slots_;  // hash, then two bits for the labels seen; 0: free
  std::size_t used_ = 0;
};

}  // namespace tcrops::stages
