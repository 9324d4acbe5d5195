#include "verifier/service/challenges/challenge_id.h"

#include "tests/unit/catch.h"
#include "verifier/service/resource_name.h"

using verifier::ChallengeId;

namespace {

ChallengeId example() {
  ChallengeId id;
  id.key_epoch = 0x010203;
  id.expires = 0x04050607;
  for (std::size_t i = 0; i < id.random.size(); ++i) id.random[i] = static_cast<std::uint8_t>(i);
  for (std::size_t i = 0; i < id.tag.size(); ++i) id.tag[i] = static_cast<std::uint8_t>(0xf0 + i);
  return id;
}

}  // namespace

TEST_CASE("a challenge's id is its bytes in base32") {
  const std::string text = example().text();
  CHECK(text == "aeaqeayeaudaoaabaibqibiga4eascqlbqgq4d7q6hzph5hv6337r6p27p6p37x7");
  CHECK(ChallengeId::parse(text) == example());
  CHECK(verifier::is_resource_id(text));
  CHECK(ChallengeId().text() == "ae" + std::string(62, 'a'));
}

TEST_CASE("what is not an id of this version is none") {
  const std::string text = example().text();
  CHECK_FALSE(ChallengeId::parse(""));
  CHECK_FALSE(ChallengeId::parse(text.substr(1)));
  CHECK_FALSE(ChallengeId::parse(text + "a"));
  CHECK_FALSE(ChallengeId::parse(text + std::string(8, 'a')));
  for (const char c : std::string("A018=/%\0 \xff", 10)) {
    std::string changed = text;
    changed.back() = c;
    CHECK_FALSE(ChallengeId::parse(changed));
  }
  std::string other_version = text;
  other_version[1] = 'i';
  CHECK_FALSE(ChallengeId::parse(other_version));
}

TEST_CASE("each character of an id counts") {
  const std::string text = example().text();
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'b' ? 'c' : 'b';
    const auto id = ChallengeId::parse(changed);
    if (id) CHECK(*id != example());
    if (id) CHECK(id->text() == changed);
  }
}
