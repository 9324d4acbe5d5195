#pragma once

#include <string>
#include <string_view>

namespace test {

/// Gives the lockout hierarchy of a TPM a password, as an owner may; no other client may be connected.
void set_lockout_password(const std::string& tcti, std::string_view password);

}  // namespace test
