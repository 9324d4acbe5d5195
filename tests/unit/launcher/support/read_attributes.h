#pragma once

#include <string>
#include <utility>

#include "base/error.h"
#include "launcher/spec/attributes.h"

namespace test {

/// What a reader made of attributes, and what it found wrong with them.
template <typename Value>
struct ReadAttributes {
  Value value;
  std::string problems;
};

template <typename Read>
auto read_attributes(const launcher::Attributes& attributes, Read read) {
  launcher::AttributeReader reader(attributes);
  ReadAttributes<decltype(read(reader))> result{read(reader), {}};
  try {
    reader.problems().throw_if_any();
  } catch (const base::Error& error) {
    result.problems = error.what();
  }
  return result;
}

}  // namespace test
