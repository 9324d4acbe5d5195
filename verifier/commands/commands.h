#pragma once

#include <CLI/CLI.hpp>

namespace verifier {

/// Where the packaged service has its configuration.
inline constexpr const char* kConfigFile = "/etc/cs-verifier/config.json";

// What cs-verifier does beside serving. Each adds its subcommand to `app`; it runs while the command line is parsed,
// and throws Error.

/// keys list|add|promote|retire
void add_keys_command(CLI::App& app);
/// pki init|renew
void add_pki_command(CLI::App& app);
/// export DIR
void add_export_command(CLI::App& app);
/// reference-value
void add_reference_value_command(CLI::App& app);

}  // namespace verifier
