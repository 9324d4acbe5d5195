#include "launcher/spec/problems.h"

#include "tests/unit/catch.h"

using launcher::Problems;

TEST_CASE("without a problem nothing is thrown") {
  Problems problems;
  CHECK(problems.collect("tee-x", [] {}));
  CHECK(problems.empty());
  CHECK_NOTHROW(problems.throw_if_any());
}

TEST_CASE("all problems are told, each with its subject") {
  Problems problems;
  problems.add("tee-a: is wrong");
  CHECK_FALSE(problems.collect("tee-b", [] { throw base::Error("invalid restart policy: x"); }));
  CHECK_FALSE(problems.collect("tee-c", [] { throw base::InvalidInput("tee-c[1]", "expected a string"); }));
  CHECK_FALSE(problems.empty());
  CHECK_THROWS_WITH(problems.throw_if_any(),
                    "tee-a: is wrong; tee-b: invalid restart policy: x; tee-c[1]: expected a string");
}

TEST_CASE("what is no Error is nobody's problem") {
  Problems problems;
  CHECK_THROWS_AS(problems.collect("tee-x", [] { throw std::logic_error("bug"); }), std::logic_error);
  CHECK(problems.empty());
}

TEST_CASE("of very many problems the first are told, and how many more there are") {
  Problems problems;
  for (std::size_t i = 0; i < launcher::kMaxProblemsTold + 3; ++i) problems.add("p" + std::to_string(i));
  CHECK_THROWS_WITH(problems.throw_if_any(), StartsWith("p0; p1; ") && EndsWith("p19; and 3 more"));
}

TEST_CASE("a very long problem is cut") {
  Problems problems;
  problems.add(std::string(launcher::kMaxProblemBytes, 'a'));
  problems.add(std::string(launcher::kMaxProblemBytes + 1, 'b'));
  CHECK_THROWS_WITH(problems.throw_if_any(), std::string(launcher::kMaxProblemBytes, 'a') + "; " +
                                                 std::string(launcher::kMaxProblemBytes, 'b') + "...");
}
