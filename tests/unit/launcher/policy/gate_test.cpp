#include "launcher/policy/gate.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/policy.h"

using launcher::Gate;
using launcher::ImageLabels;

TEST_CASE("a gate is a word in any letters' case with white space around it") {
  const auto gate_of = [](const ImageLabels& labels) {
    launcher::LabelReader reader(labels);
    const Gate gate = launcher::read_gate(reader, "l");
    CHECK(reader.problems().empty());
    return gate;
  };
  CHECK(gate_of({}) == Gate::kDebugOnly);
  CHECK(gate_of({{"l", "debugonly"}}) == Gate::kDebugOnly);
  CHECK(gate_of({{"l", " DebugOnly\n"}}) == Gate::kDebugOnly);
  CHECK(gate_of({{"l", "ALWAYS"}}) == Gate::kAlways);
  CHECK(gate_of({{"l", "\tnever "}}) == Gate::kNever);
}

TEST_CASE("another word is the author's to mend, and opens nothing") {
  for (const char* text : {"", "true", "debug only", "always!"}) {
    const ImageLabels labels = {{"l", text}};
    launcher::LabelReader reader(labels);
    CHECK(launcher::read_gate(reader, "l") == Gate::kNever);
    CHECK(test::text_of(reader.problems()) == "invalid image LABEL 'l': contact the image author");
  }
}
