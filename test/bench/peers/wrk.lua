-- Signed webhooks, each with a GUID of its own: wrk -s wrk.lua URL -- BODY-FILE SIGNATURE PREFIX
local count = 0

function init(args)
  local file = io.open(args[1], "rb")
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  prefix = args[3]
  wrk.headers["content-type"] = "application/json"
  wrk.headers["x-github-event"] = "push"
  wrk.headers["x-hub-signature-256"] = args[2]
end

function request()
  count = count + 1
  wrk.headers["x-github-delivery"] = prefix .. count
  return wrk.format()
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"count":%d,"seconds":%f,"p50":%f,"p99":%f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
