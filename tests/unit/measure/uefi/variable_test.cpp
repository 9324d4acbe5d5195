#include "measure/uefi/variable.h"

#include <string>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/boot_log_writer.h"

using measure::UefiVariable;

namespace {

UefiVariable variable_of(const std::string& bytes) { return UefiVariable::parse(base::view_of(bytes)); }

std::string with_byte(std::string bytes, std::size_t place, char value) {
  bytes.at(place) = value;
  return bytes;
}

constexpr std::size_t kNameLengthOffset = 16;
constexpr std::size_t kDataLengthOffset = 24;
constexpr std::size_t kNameOffset = 32;

}  // namespace

TEST_CASE("A UEFI variable is vendor, name and data") {
  const UefiVariable variable = variable_of(test::uefi_variable(test::kGlobalVariableGuid, "SecureBoot", "\x01"));
  CHECK(variable.vendor == measure::kGlobalVariableGuid);
  CHECK(variable.name == "SecureBoot");
  CHECK(variable.data == base::Bytes{1});
}

TEST_CASE("A character of a variable's name beyond ASCII is a question mark") {
  const std::string bytes = test::uefi_variable(test::kGlobalVariableGuid, "db", "");
  CHECK(variable_of(with_byte(bytes, kNameOffset, '\xe4')).name == "?b");
  CHECK(variable_of(with_byte(bytes, kNameOffset + 1, '\x01')).name == "?b");
}

TEST_CASE("Lengths of a UEFI variable must fit") {
  const std::string bytes = test::uefi_variable(test::kGlobalVariableGuid, "db", "data");
  CHECK_THROWS_AS(variable_of(bytes.substr(0, bytes.size() - 1)), base::InvalidInput);
  CHECK_THROWS_AS(variable_of(bytes + "x"), base::InvalidInput);
  CHECK_THROWS_WITH(variable_of(with_byte(bytes, kDataLengthOffset + 7, '\x7f')),
                    "UEFI variable event: the data is cut off");
  CHECK_THROWS_WITH(variable_of(with_byte(bytes, kNameLengthOffset + 7, '\x7f')),
                    "UEFI variable event: the name is too long");
}

TEST_CASE("A UEFI variable's name is no longer than its limit") {
  const auto named = [](std::size_t length) {
    return test::uefi_variable(test::kGlobalVariableGuid, std::string(length, 'n'), "");
  };
  CHECK(variable_of(named(measure::kMaxVariableNameUnits)).name.size() == measure::kMaxVariableNameUnits);
  CHECK_THROWS_AS(variable_of(named(measure::kMaxVariableNameUnits + 1)), base::InvalidInput);
}
