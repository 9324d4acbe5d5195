#include "launcher/containerd/leftovers.h"

#include <string>
#include <vector>

#include "base/log.h"
#include "launcher/containerd/content_store.h"
#include "launcher/containerd/lease.h"

namespace launcher {
namespace {

std::vector<std::string> ours(std::vector<std::string> names) {
  std::erase_if(names, [](const std::string& name) { return !name.starts_with(kOwnNames); });
  return names;
}

}  // namespace

base::Awaitable<void> remove_leftovers(ContainerdClient client) {
  const std::vector<std::string> leases = ours(co_await Lease::list(client));
  for (std::size_t i = 0; i < leases.size(); ++i) {
    const Lease lease = Lease::of_former_launch(client, leases[i]);
    if (i + 1 < leases.size()) {
      co_await lease.release();
    } else {
      co_await lease.release_and_collect();  // one collection for all
    }
  }
  const ContentStore content(client);
  const std::vector<std::string> ingests = ours(co_await content.list_ingests());
  for (const std::string& ref : ingests) co_await content.abort(ref);
  if (leases.empty() && ingests.empty()) co_return;
  base::log::info("removed what a launch that was killed had left in containerd",
                  {{"leases", std::uint64_t{leases.size()}}, {"ingests", std::uint64_t{ingests.size()}}});
}

}  // namespace launcher
