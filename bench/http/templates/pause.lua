-- wrk waits so long, in milliseconds, before each request: 64 connections then ask about 10,000 times a second.
function delay() return 6 end
