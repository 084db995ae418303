#pragma once

#include <tcrops/data/cdr3_words.hpp>
#include <tcrops/data/similarity.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tcrops::stages {

// How near a TCR is to the nearest of a set. The similarity of two CDR3s is the cosine of their
// counts of 3-letter words, that of two TCRs the mean over the chains that both have; 0 when they
// share no chain. From 0 to 1; equal CDR3s give exactly 1.
//
// Exact, and quick although some words stand in nearly every CDR3. Words that many TCRs have are
// bits of a mask per TCR, the others have lists of their TCRs. A query adds up the lists of its
// rare words, which few TCRs are on, and completes those sums by the masks. A TCR on none of the
// lists can have no more than the frequent part of the query has length (Cauchy-Schwarz); only when
// that is more than the best found are all masks looked at.
class NearestTcr {
 public:
  explicit NearestTcr(std::span<const data::Cdr3s> tcrs);
  // Uses working memory of the object: one thread at a time.
  [[nodiscard]] double similarity(const data::Cdr3s& query);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Words {
    std::vector<data::WordCount> counts;  // ascending by word
    double length = 0.0;                  // of the vector of counts
  };
  // A TCR that has a word, and the count over the chain's length; of a word that has a bit, the
  // count beyond the first.
  struct Posting {
    std::uint32_t tcr = 0;
    float part = 0.0F;
  };
  struct Chain {
    std::vector<Words> words;                          // per TCR
    std::vector<std::uint64_t> masks;                  // per TCR
    std::vector<float> inverse;                        // per TCR: 1 over the length
    std::unordered_map<std::uint32_t, unsigned> bits;  // of frequent words
    std::unordered_map<std::uint32_t, std::vector<Posting>> postings;
  };
  // TCRs that have the same chains.
  struct Group {
    std::vector<std::size_t> chains;  // 0 alpha, 1 beta
    std::array<Chain, 2> of;
    std::vector<float> sums;  // per TCR, zero between queries
    std::size_t size = 0;
  };
  // The frequent words of one chain of a query: masks of those it has at least once, twice, …
  struct Frequent {
    const Chain* chain = nullptr;
    float weight = 0.0F;  // over the query's length
    std::vector<std::uint64_t> layers;
  };
  using Query = std::array<Words, 2>;

  static Words words_of(std::string_view cdr3);
  static double cosine(const Words& a, const Words& b);
  static double similarity(const Group& group, std::size_t tcr, const Query& query,
                           std::span<const std::size_t> shared);
  static void index(Chain& chain);
  // Adds the rare words of a chain of the query up, and returns the frequent ones.
  Frequent add_rare(Group& group, std::size_t chain, const Words& query, double weight);
  double best_of(Group& group, const Query& query, double at_least);

  std::array<Group, 3> groups_;
  std::size_t size_ = 0;
  std::vector<std::uint32_t> touched_;
};

}  // namespace tcrops::stages
