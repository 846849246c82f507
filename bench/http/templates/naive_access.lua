-- nginx' access phase with the naive bucket: one EVALSHA per request, on a connection from the worker's pool.
local redis = require "nginx.redis"

local connection = redis:new()
connection:set_timeout(1000)
local connected, problem = connection:connect("127.0.0.1", @REDIS_PORT@)
if not connected then
  ngx.log(ngx.CRIT, "redis: ", problem)
  return ngx.exit(503)
end

local reply, refusal = connection:evalsha("@DIGEST@", 1, "naive:" .. ngx.var.remote_addr, 1000000, 1000000, 1)
if not reply then
  ngx.log(ngx.CRIT, "redis: ", refusal)
  return ngx.exit(503)
end
connection:set_keepalive(60000, 512)

if reply[1] ~= 1 then
  return ngx.exit(429)
end
ngx.header["X-RateLimit-Remaining"] = reply[2]
