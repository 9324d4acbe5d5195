#include "measure/alignment.h"

#include <random>
#include <string>
#include <string_view>

#include "tests/unit/catch.h"

using measure::Difference;
using measure::Digest;

namespace {

std::vector<Digest> digests_of(std::string_view letters) {
  std::vector<Digest> digests;
  for (const char& letter : letters) {
    digests.push_back(Digest::of(measure::HashAlgorithm::kSha256, base::view_of({&letter, 1})));
  }
  return digests;
}

std::vector<Difference> between(std::string_view expected, std::string_view found) {
  return measure::differences(digests_of(expected), digests_of(found));
}

/// What `expected` becomes by the differences, and -1 where they contradict each other.
std::string applied(const std::string& expected, const std::string& found, const std::vector<Difference>& differences) {
  std::string result;
  std::size_t place = 0;
  for (const Difference& difference : differences) {
    if (difference.expected) {
      result += expected.substr(place, *difference.expected - place);
      place = *difference.expected + 1;
    }
    if (difference.found) {
      if (!difference.expected) {
        // How far the common part goes is told by where the new one stands.
        const std::size_t common = *difference.found - result.size();
        result += expected.substr(place, common);
        place += common;
      }
      if (result.size() != *difference.found) return "contradiction";
      result += found.at(*difference.found);
    }
  }
  return result + expected.substr(place);
}

std::size_t edits_in(const std::vector<Difference>& differences) {
  std::size_t edits = 0;
  for (const Difference& difference : differences)
    edits += (difference.expected ? 1U : 0U) + (difference.found ? 1U : 0U);
  return edits;
}

/// By the longest common subsequence.
std::size_t fewest_edits(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> longest(a.size() + 1, std::vector<std::size_t>(b.size() + 1, 0));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      longest[i + 1][j + 1] = a[i] == b[j] ? longest[i][j] + 1 : std::max(longest[i][j + 1], longest[i + 1][j]);
    }
  }
  return a.size() + b.size() - 2 * longest[a.size()][b.size()];
}

std::string random_letters(std::mt19937& random, std::size_t most) {
  std::string letters(random() % (most + 1), ' ');
  for (char& letter : letters) letter = static_cast<char>('a' + random() % 3);
  return letters;
}

}  // namespace

TEST_CASE("Equal sequences have no differences") {
  CHECK(between("", "").empty());
  CHECK(between("abc", "abc").empty());
}

TEST_CASE("A digest in another's place is one difference") {
  CHECK(between("abc", "axc") == std::vector<Difference>{{.expected = 1, .found = 1}});
  CHECK(between("a", "x") == std::vector<Difference>{{.expected = 0, .found = 0}});
}

TEST_CASE("A digest more or less is told by its place") {
  CHECK(between("abc", "ac") == std::vector<Difference>{{.expected = 1, .found = {}}});
  CHECK(between("ac", "abc") == std::vector<Difference>{{.expected = {}, .found = 1}});
  CHECK(between("", "ab") == std::vector<Difference>{{.expected = {}, .found = 0}, {.expected = {}, .found = 1}});
  CHECK(between("ab", "") == std::vector<Difference>{{.expected = 0, .found = {}}, {.expected = 1, .found = {}}});
}

TEST_CASE("Differences at several places stay apart") {
  CHECK(between("abcdef", "xbcdey") ==
        std::vector<Difference>{{.expected = 0, .found = 0}, {.expected = 5, .found = 5}});
  CHECK(between("abcd", "bcxd") == std::vector<Difference>{{.expected = 0, .found = {}}, {.expected = {}, .found = 2}});
}

TEST_CASE("Differences of any sequences are the fewest, and lead from one to the other") {
  std::mt19937 random(12345);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same on every run
  for (int i = 0; i < 2000; ++i) {
    const std::string expected = random_letters(random, 12);
    const std::string found = random_letters(random, 12);
    const std::vector<Difference> differences = between(expected, found);
    INFO(expected << " and " << found);
    CHECK(applied(expected, found, differences) == found);
    CHECK(edits_in(differences) == fewest_edits(expected, found));
  }
}

TEST_CASE("Beyond the most edits all that is not a common end is different") {
  const auto many = [](char letter, std::size_t count) { return std::string(count, letter); };
  const std::size_t half = measure::kMaxEdits / 2;
  // "x" stands on both sides of the middle, and can be found there as long as the edits are few enough.
  const std::string expected = "a" + many('b', half - 1) + "x" + "z";
  const std::string found = "a" + many('c', half - 1) + "x" + "z";
  CHECK(between(expected, found).size() == half - 1);
  const std::string longer = "a" + many('b', half + 1) + "x" + many('d', half) + "z";
  const std::string other = "a" + many('c', half + 1) + "x" + many('e', half) + "z";
  CHECK(between(longer, other).size() == half + 1 + 1 + half);  // the x, too
}
