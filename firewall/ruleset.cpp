#include "firewall/ruleset.h"

#include <memory>

#include <nftables/libnftables.h>

#include "base/error.h"
#include "base/log.h"

namespace firewall {
namespace {

using base::Error;

struct FreeContext {
  void operator()(nft_ctx* context) const { ::nft_ctx_free(context); }
};

void run(const std::string& command) {
  const std::unique_ptr<nft_ctx, FreeContext> context(::nft_ctx_new(NFT_CTX_DEFAULT));
  if (!context || ::nft_ctx_buffer_error(context.get()) != 0 || ::nft_ctx_buffer_output(context.get()) != 0) {
    throw Error("nftables can't be used");
  }
  if (::nft_run_cmd_from_buffer(context.get(), command.c_str()) == 0) return;
  throw Error("nftables: " + base::log::one_line(::nft_ctx_get_error_buffer(context.get())));
}

}  // namespace

std::string command_to_open(const std::vector<Port>& ports) {
  std::string elements;
  for (const Port port : ports) {
    // Numbers, since names would be looked up in a file.
    elements += (elements.empty() ? "" : ", ") + std::to_string(static_cast<unsigned>(port.protocol)) + " . " +
                std::to_string(port.number);
  }
  return "add element " + std::string(kSet) + " { " + elements + " }";
}

void open(const std::vector<Port>& ports) { run(command_to_open(ports)); }

void close_all() { run("flush set " + std::string(kSet)); }

}  // namespace firewall
