#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <openssl/types.h>

#include "base/bytes.h"

namespace evidence {

/// Who a cloud says the machine is: the value of extension 1.3.6.1.4.1.11129.2.1.21 of an attestation key certificate,
///   SEQUENCE { UTF8String zone, INTEGER projectNumber, UTF8String projectId, INTEGER instanceId, UTF8String
///   instanceName,
///              [0] EXPLICIT SEQUENCE { [0] EXPLICIT INTEGER securityVersion OPTIONAL,
///                                      [1] EXPLICIT BOOLEAN isProduction OPTIONAL, ... } OPTIONAL }
struct InstanceIdentity {
  std::string zone;
  std::uint64_t project_number = 0;
  std::string project_id;
  std::uint64_t instance_id = 0;
  std::string instance_name;
  bool is_production = false;

  bool operator==(const InstanceIdentity&) const = default;
};

inline constexpr const char* kInstanceIdentityOid = "1.3.6.1.4.1.11129.2.1.21";

/// The extension's value. Throws InvalidInput on truncation, negative or too large integers, text that is not UTF-8.
/// Bytes behind the known members are allowed, as the format grows.
InstanceIdentity parse_instance_identity(base::ByteView der);
base::Bytes encode_instance_identity(const InstanceIdentity& identity);

/// What the certificate says; nothing when it does not have the extension.
std::optional<InstanceIdentity> instance_identity_of(const X509& certificate);

}  // namespace evidence
