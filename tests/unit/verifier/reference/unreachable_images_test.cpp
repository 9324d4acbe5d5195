#include "verifier/reference/unreachable_images.h"

#include <algorithm>
#include <memory>

#include "tests/unit/catch.h"
#include "verifier/reference/publisher.h"

namespace {

using base::Bytes;
using measure::HashAlgorithm;
using verifier::ReferenceValue;

constexpr std::uint8_t kOther = 9;

/// States PCR 4 and 9.
ReferenceValue image(const std::string& name) {
  ReferenceValue value;
  value.name = name;
  value.pcrs[HashAlgorithm::kSha256] = {{4, Bytes(32, 4)}, {9, Bytes(32, 5)}};
  return value;
}

ReferenceValue image_with(const std::string& name, std::uint32_t pcr, std::uint8_t byte) {
  ReferenceValue value = image(name);
  value.pcrs[HashAlgorithm::kSha256][pcr] = Bytes(32, byte);
  return value;
}

std::vector<std::string> unreachable(const std::vector<ReferenceValue>& images, bool require_secure_boot = false) {
  std::vector<std::string> lines;
  for (const auto& [name, why] : verifier::unreachable_images(images, require_secure_boot)) {
    lines.push_back(name + " " + why);
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("images that differ in what they ask for are all reachable") {
  CHECK(unreachable({}).empty());
  ReferenceValue without_secure_boot = image("d");
  without_secure_boot.secure_boot = false;
  ReferenceValue told = image("e");
  told.kernel_command_line = "quiet";
  ReferenceValue told_otherwise = image("f");
  told_otherwise.kernel_command_line = "debug";
  CHECK(unreachable({told, told_otherwise, image_with("b", 7, 1), image_with("c", 7, 2), without_secure_boot,
                     image_with("g", 9, kOther), image("a")})
            .empty());
}

TEST_CASE("an image behind one that asks for no more is never found") {
  CHECK(unreachable({image("a"), image("b")}) == Lines{"b asks for all that image a asks for, which stands before it"});
  CHECK(unreachable({image("a"), image_with("b", 7, 1)}) ==
        Lines{"b asks for all that image a asks for, which stands before it"});
  ReferenceValue told = image("b");
  told.kernel_command_line = "quiet";
  CHECK(unreachable({image("a"), told}).size() == 1);
  ReferenceValue on = image("b");
  on.secure_boot = true;  // as where nothing is said
  CHECK(unreachable({image("a"), on}).size() == 1);
}

TEST_CASE("what an image must not have where it states nothing is not less than a value") {
  for (const std::uint32_t pcr : {2U, 8U, 12U}) CHECK(unreachable({image("a"), image_with("b", pcr, 1)}).empty());
}

TEST_CASE("a deprecated image hides those that ask for more, wherever it stands") {
  ReferenceValue old = image("old");
  old.deprecated = true;
  const Lines why{"new asks for all that deprecated image old asks for, which is refused first"};
  CHECK(unreachable({old, image_with("new", 7, 1)}) == why);
  CHECK(unreachable({image_with("new", 7, 1), old}) == why);
  ReferenceValue old_and_exact = image_with("old", 7, 1);
  old_and_exact.deprecated = true;
  CHECK(unreachable({image("new"), old_and_exact}).empty());
}

TEST_CASE("an image of a publication, which may expire, hides nothing") {
  ReferenceValue published = image("a");
  published.publication = std::make_shared<const verifier::Publication>();
  CHECK(unreachable({published, image("b")}).empty());
  CHECK(unreachable({image("b"), published}).size() == 1);
}

TEST_CASE("what can't be is named") {
  CHECK(unreachable({image_with("a", 7, 0)}) ==
        Lines{"a states zeros for PCR 7, into which every firmware measures something"});
  CHECK(unreachable({image_with("a", 8, 0)}).empty());
  ReferenceValue off = image("a");
  off.secure_boot = false;
  CHECK(unreachable({off}).empty());
  CHECK(unreachable({off}, true) == Lines{"a states secure_boot false, which require_secure_boot refuses"});
}

TEST_CASE("more ways to state something than are remembered hide nothing else") {
  std::vector<ReferenceValue> images;
  for (std::uint32_t shape = 0; shape < verifier::kMaxShapes + 1; ++shape) {
    ReferenceValue value = image("image " + std::to_string(shape));
    value.pcrs[HashAlgorithm::kSha256].erase(9);
    for (std::uint32_t bit = 0; bit < 7; ++bit) {
      if ((shape >> bit & 1U) != 0)
        value.pcrs[HashAlgorithm::kSha384][bit] = Bytes(48, static_cast<std::uint8_t>(shape + 1));
    }
    images.push_back(std::move(value));
  }
  std::ranges::reverse(images);  // that with the least last
  CHECK(unreachable(images).empty());
  images.push_back(images.front());
  CHECK(unreachable(images).size() == 1);
  images.push_back(images[verifier::kMaxShapes]);
  CHECK(unreachable(images).size() == 1);
}
