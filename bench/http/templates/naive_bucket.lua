-- A bucket kept as many keep it: a hash, floating point, and a write and an expiry whatever the answer.
-- KEYS[1] the bucket; ARGV capacity, permits per second, cost; reply: 1 or 0, whole permits left.
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local capacity, rate, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local bucket = redis.call('HMGET', KEYS[1], 'permits', 'updated')
local permits = tonumber(bucket[1] or capacity)
local elapsed = math.max(0, now - tonumber(bucket[2] or now))
permits = math.min(capacity, permits + elapsed * rate)
local allowed = 0
if permits >= cost then
  permits = permits - cost
  allowed = 1
end
redis.call('HMSET', KEYS[1], 'permits', permits, 'updated', now)
redis.call('EXPIRE', KEYS[1], math.ceil(capacity / rate) + 1)
return { allowed, math.floor(permits) }
