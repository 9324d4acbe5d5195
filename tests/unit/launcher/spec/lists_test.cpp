#include "launcher/spec/lists.h"

#include <set>
#include <vector>

#include "tests/unit/catch.h"

using Strings = std::vector<std::string>;

TEST_CASE("words are listed with blanks between") {
  CHECK(launcher::joined(Strings{}).empty());
  CHECK(launcher::joined(std::set<std::string>{"b", "a"}) == "a b");
}

TEST_CASE("of a long list as many words are shown as fit, and how many there are beyond") {
  CHECK(launcher::joined_briefly(std::vector<std::string>{}).empty());
  CHECK(launcher::joined_briefly(std::vector<std::string>{"a", "b"}) == "a b");
  const std::vector<std::string> words(launcher::kMaxListShown, "word");
  const std::size_t shown = (launcher::kMaxListShown + 1) / 5;  // each with the blank before it
  CHECK(launcher::joined_briefly(words) == launcher::joined(std::vector<std::string>(shown, "word")) + " ... and " +
                                               std::to_string(words.size() - shown) + " more");
  CHECK(launcher::joined_briefly(std::vector<std::string>{std::string(launcher::kMaxListShown, 'x')}) ==
        " ... and 1 more");
}
