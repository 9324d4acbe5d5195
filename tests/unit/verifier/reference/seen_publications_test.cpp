#include "verifier/reference/seen_publications.h"

#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "base/private_directory.h"
#include "tests/unit/catch.h"

using verifier::Publication;

namespace {

struct SeenWorld {
  base::PrivateDirectory directory{"cs-test"};
  std::filesystem::path state = directory.path() / "state";

  std::string use(std::vector<Publication> publications) const {
    std::vector<std::shared_ptr<const Publication>> shared;
    for (Publication& each : publications) shared.push_back(std::make_shared<const Publication>(std::move(each)));
    try {
      verifier::note_not_older(state, shared);
      return "used";
    } catch (const base::Error& error) {
      return error.what();
    }
  }
};

Publication version(std::uint64_t number, std::uint8_t content = 1, std::string publisher = "team") {
  return {.publisher = std::move(publisher), .version = number, .expires = {}, .sha256 = {content}};
}

}  // namespace

TEST_CASE("a publisher's version never goes back") {
  const SeenWorld world;
  CHECK(world.use({version(7)}) == "used");
  CHECK(world.use({version(7)}) == "used");
  CHECK(world.use({version(6)}) ==
        "publisher \"team\": version 6 of its reference values is older than version 7, which has been in use");
  CHECK(world.use({version(7, 2)}) ==
        "publisher \"team\": version 7 of its reference values is not the one that has been in use");
  CHECK(world.use({version(9, 2)}) == "used");
  CHECK(world.use({version(8, 3)}) != "used");
}

TEST_CASE("who only looks is told the same, and nothing is noted") {
  const SeenWorld world;
  const auto look = [&](std::uint64_t number) {
    verifier::expect_not_older(world.state, {std::make_shared<const Publication>(version(number))});
  };
  CHECK_NOTHROW(look(9));
  CHECK_FALSE(std::filesystem::exists(world.state));
  CHECK(world.use({version(7)}) == "used");
  CHECK_NOTHROW(look(8));
  CHECK(world.use({version(7)}) == "used");
  CHECK_THROWS_WITH(look(6), ContainsSubstring("version 6 of its reference values is older than version 7"));
}

TEST_CASE("each publisher counts for itself, and is not forgotten when it is away") {
  const SeenWorld world;
  CHECK(world.use({version(7), version(2, 1, "other")}) == "used");
  CHECK(world.use({version(3, 1, "other")}) == "used");
  CHECK(world.use({}) == "used");
  CHECK(world.use({version(6)}) != "used");
  CHECK(world.use({version(2, 1, "other")}) != "used");
}

TEST_CASE("when one of them is too old none is noted") {
  const SeenWorld world;
  CHECK(world.use({version(1, 1, "a"), version(5, 1, "b")}) == "used");
  CHECK(world.use({version(2, 1, "a"), version(4, 1, "b")}) != "used");
  CHECK(world.use({version(1, 1, "a")}) == "used");
}

TEST_CASE("what has been in use is kept where nobody else writes, and a broken file is an error") {
  const SeenWorld world;
  CHECK(world.use({version(7)}) == "used");
  const auto file = world.state / verifier::kSeenPublicationsFile;
  CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms::mask) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  CHECK(base::read_text_file(file, 1000) == "{\n  \"team\": {\n    \"sha256\": \"01\",\n    \"version\": 7\n  }\n}\n");
  std::ofstream(file) << "{";
  CHECK_THAT(world.use({version(8)}), ContainsSubstring("publications.json: not valid JSON"));
  std::ofstream(file) << R"({"team": {}})";
  CHECK_THAT(world.use({version(8)}), ContainsSubstring("publications.json.team.version"));
}
