#pragma once

#include <tcrops/nn/core.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tcrops::stages {

// The networks of a model: one, or the members of an ensemble. Not thread-safe.
class Networks {
 public:
  // Row by row: the mean of the members' logits, and its spread, their standard deviation (over
  // their number, not one less), of those that have a head for the row's epitope; none for a single
  // network. A row that no member has a head for has no number.
  struct Scores {
    std::vector<float> logits;
    std::vector<float> spreads;
  };

  void add(std::shared_ptr<const nn::Network> network) { members_.push_back(std::move(network)); }
  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] const nn::Network& member(std::size_t i) const { return *members_.at(i); }
  [[nodiscard]] std::shared_ptr<const nn::Network> shared_member(std::size_t i) const {
    return members_.at(i);
  }
  // Whether a member sees any epitope, or has a head for this one.
  [[nodiscard]] bool answers(const std::string& epitope) const;
  [[nodiscard]] Scores scores(const data::EncodedRows& rows) const;
  [[nodiscard]] std::vector<float> logits(const data::EncodedRows& rows) const;
  // Trained numbers of all members.
  [[nodiscard]] std::int64_t parameters() const;

 private:
  std::vector<std::shared_ptr<const nn::Network>> members_;
};

}  // namespace tcrops::stages
