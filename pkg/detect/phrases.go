package detect

// A group is what a phrase speaks for. Phrases of one group are added up to a limit, so that saying one thing in ten ways
// counts for little more than saying it twice; what convinces is several groups together.
type group uint8

const (
	gShadow     group = iota // means nothing, but takes over the shorter phrases inside it ("memory leak" is no leak)
	gType                    // the name of a kind of hole
	gWeak                    // kinds of hole that are as often an ordinary wish
	gGeneric                 // vulnerability, exploit, security issue
	gAttacker                // somebody who does harm, and may
	gImpact                  // what is lost
	gPoC                     // there is a proof
	gPayload                 // the proof itself
	gForm                    // the shape of a report
	gMemory                  // memory errors and what sanitizers print
	gCrafted                 // input made for the purpose
	gMech                    // how it comes about
	gSecret                  // a credential that lies open
	gContact                 // asks for a private channel
	gPublic                  // a hole that the world knows by number or by scanner
	gDepend                  // parts that the project did not write
	gSpam                    // phishing
	gLink                    // any link
	gImperative              // work to do, when a title begins with it
	gFeature                 // wishes, tasks, documentation
	gTool                    // security tools, lessons, lists
	gFixed                   // it is over, or public
	gNot                     // the author says that it is none
	gBug                     // everyday bugs
	gTemplate                // voids its sentence: the template speaks
	gPrevent                 // weakens its sentence: a wish to be safe
	gNegate                  // nearly voids its sentence
	groups
)

// An entry gives phrases, separated by |, a group and a weight from 0.5 (a hint) to 3 (says it all). Phrases are written
// in any form: they go through the same folding and stemming as the text, and articles count for nothing. In them, #
// stands for a number and #y for a year.
type entry struct {
	group   group
	weight  float32
	phrases string
}

// table lists all phrases.
func table() []entry {
	var t []entry
	for _, part := range [][]entry{
		injections(), weaknesses(), attackers(), mechanisms(), shadows(), reports(), dependencies(), contacts(), spam(), ordinary(),
		modifiers(), romance(), german(), slavic(), eastern(),
	} {
		t = append(t, part...)
	}
	return t
}

// injections are the names of holes that hardly anybody uses for something else.
func injections() []entry {
	return []entry{
		{gType, 3, "sql injection|sqli|sql inject|nosql injection|blind sql|xss|xss vulnerability|stored xss|reflected xss|dom xss|" +
			"dom based xss|self xss|cross site scripting|cross site script|script injection|html injection|javascript injection|" +
			"xml external entity|xxe|ssrf|server side request forgery|csrf|xsrf|cross site request forgery|request forgery"},
		{gType, 3, "remote code execution|arbitrary code execution|rce|execute arbitrary code|run arbitrary code|arbitrary code|" +
			"code execution|code injection|command injection|os command injection|shell injection|arbitrary command|" +
			"arbitrary command execution|shell metacharacter|command execution|execute arbitrary command|eval injection|" +
			"argument injection|php object injection|object injection|template injection|ssti|ldap injection|xpath injection|" +
			"crlf injection|header injection|csv injection|formula injection|expression language injection|workflow injection"},
		{gType, 3, "path traversal|directory traversal|zip slip|zipslip|tar slip|arbitrary file read|arbitrary file write|" +
			"arbitrary file deletion|arbitrary file delete|arbitrary file upload|arbitrary file overwrite|arbitrary file download|" +
			"arbitrary file access|arbitrary file|read arbitrary file|write arbitrary file|overwrite arbitrary file|" +
			"delete arbitrary file|local file inclusion|remote file inclusion|file inclusion|lfi|unrestricted upload|" +
			"unrestricted file upload|upload malicious file|upload webshell|webshell|web shell|reverse shell"},
		{gType, 3, "insecure deserialization|unsafe deserialization|deserialization vulnerability|deserialization attack|" +
			"deserialization of untrusted data|untrusted deserialization|java deserialization|pickle deserialization|" +
			"shiro deserialization|insecure deserialisation|unsafe deserialisation|deserialization rce|via deserialization|" +
			"unsafe yaml load|unsafe pickle"},
		{gType, 3, "idor|insecure direct object reference|broken access control|broken object level authorization|bola|" +
			"authentication bypass|auth bypass|authorization bypass|bypass authentication|bypass authorization|bypass auth|" +
			"bypassing authentication|bypassing authorization|authentication can be bypassed|login bypass|bypass login|" +
			"bypass 2fa|2fa bypass|mfa bypass|access control bypass|permission bypass|privilege escalation|escalate privilege|" +
			"escalation of privilege|account takeover|take over account|take over any account|session fixation|" +
			"session hijacking|session hijack|unauthenticated access|unauthorized access|missing authorization|" +
			"missing authentication|mass assignment|signature bypass|signature forgery|signature verification bypass|" +
			"bypass signature|algorithm confusion|jwt none|sandbox escape|escape sandbox|sandbox bypass|container escape|" +
			"bypass sandbox|path disclosure"},
		{gType, 3, "open redirect|open redirection|unvalidated redirect|prototype pollution|redos|" +
			"regular expression denial of service|regex denial of service|regexp denial of service|catastrophic backtracking|" +
			"exponential backtracking|request smuggling|response splitting|cache poisoning|dns rebinding|subdomain takeover|" +
			"domain takeover|clickjacking|click jacking|zip bomb|decompression bomb|billion laughs|xml bomb|hash flooding|" +
			"prompt injection|content spoofing|email spoofing|homograph attack|tabnabbing|host header attack|" +
			"host header injection|host header poisoning|dependency confusion|padding oracle|oracle padding|timing attack|" +
			"timing side channel|side channel attack|side channel|timing leak|length extension attack|replay attack|" +
			"downgrade attack|nonce reuse|nonce reused|reuse nonce|reuse of nonce|nonce misuse|iv reuse|static iv|" +
			"key reuse attack|weak prng|predictable token|predictable session|invalid curve attack|" +
			"universal forgery|forge signature|forged signature|signature malleability"},
	}
}

// weaknesses are kinds of holes that need company to count, and memory errors, which a crash log has as well.
func weaknesses() []entry {
	return []entry{
		{gWeak, 1.5, "denial of service|dos attack|dos vulnerability|dos|information disclosure|information leak|" +
			"information leakage|sensitive data exposure|data leak|data exposure|user enumeration|username enumeration|" +
			"account enumeration|enumerate user|brute force attack|brute force|bruteforce|phishing attack|" +
			"man in middle|mitm|mitm attack|race condition attack|toctou|integer overflow|integer underflow|" +
			"security misconfiguration|insecure default|default credentials|default password|default key|" +
			"default encryption key|insecure|unsecure|weak cipher|weak encryption|weak hash|insecure random|" +
			"cryptographically secure|constant time|ecb mode|mode_ecb|missing rate limit|no rate limit|no rate limiting|" +
			"missing security headers|no http security headers|missing http security headers|x frame options|" +
			"dmarc|spf record|spoofing|spoof|session not invalidated|session not expire|logged out|security breach|" +
			"access control|exposed publicly|publicly accessible|plaintext password|plain text password|cleartext password|" +
			"passwords are stored|password stored|passwords stored|stored in plaintext|stored in plain text|" +
			"saved in plain text|stored as plaintext|password as plaintext|passwords in plain text|passwords in plaintext|" +
			"plaintext storage|plaintext credentials|stored in cleartext|stored unencrypted|sandbox|" +
			"token in log|token to log|logs token|internal ip|unauthenticated|unauthorized|backdoor|malicious package|hijacked"},
		{gWeak, 2.5, "passwords are stored in plain text|passwords are stored in plaintext|passwords stored in plain text|passwords stored in plaintext|" +
			"password stored in plaintext|password in plain text|" +
			"leads to denial of service|leading to denial of service|cause denial of service|causing denial of service|" +
			"causes denial of service|remote denial of service|unauthenticated denial of service|session remains valid|" +
			"no authentication check|exposed to internet|directory listing|predictable token|is predictable|predictable|race condition allows|double spending|buffer overflow in"},
		{gMemory, 2.5, "write past end|read past end|heap buffer overflow|stack buffer overflow|global buffer overflow|dynamic stack buffer overflow|" +
			"container overflow|heap overflow|heap corruption|heap use after free|use after free|user after free|double free|" +
			"out of bounds read|out of bounds write|out of bound read|out of bound write|out of bounds access|oob read|" +
			"oob write|oob access|buffer overflow|buffer overrun|buffer over read|buffer overread|type confusion|" +
			"memory corruption|memory disclosure|past end of buffer|past end of heap buffer|format string vulnerability|" +
			"use of uninitialized value|memory safety vulnerability|wild pointer|stack use after return"},
		{gMemory, 1.2, "uncaught panic|index out of range panic|reachable assertion|assertion failure via|addresssanitizer|address sanitizer|asan|msan|memorysanitizer|ubsan|null pointer dereference|" +
			"null dereference|null pointer deref|read of size|write of size|fsanitize address|segv on unknown address|" +
			"stack exhaustion|stack overflow via recursion|unbounded allocation|unbounded recursion|infinite recursion|" +
			"uninitialized memory|allocation size too big|attempting double free"},
	}
}

// attackers says who does it and what is lost. The verb matters: "attacker can" is told by somebody who tried.
func attackers() []entry {
	return []entry{
		{gAttacker, 2, "attacker can|attacker could|attacker may|attacker might|attacker to|attacker is able|attacker able|" +
			"attacker who|attacker with|attacker controlled|attacker supplied|attacker has|attacker just|attacker only|" +
			"allow attacker|allowing attacker|let attacker|letting attacker|enable attacker|enabling attacker|" +
			"lead attacker|give attacker|remote attacker|malicious actor|unauthenticated attacker|authenticated attacker|" +
			"unauthenticated user can|unauthenticated remote|anonymous user can|unauthenticated user|unauthenticated users can|unauthenticated client|unauthenticated request|anyone can|any user can|any visitor can|" +
			"malicious user|malicious server|malicious client|malicious website|malicious site|malicious page|malicious link|" +
			"malicious app|malicious peer|malicious script|malicious payload|malicious file|malicious input|malicious code|" +
			"hacker can|hackers can|hacker could|adversary can|an adversary|low privileged user|low privilege user|" +
			"non admin user can|normal user can|unprivileged user|user controlled|user supplied|untrusted input|" +
			"untrusted data|untrusted user|untrusted code|by malicious|any logged in user|any authenticated user|without permission|" +
			"trick user|trick victim|tricked into|lure victim|if victim|when victim|victim"},
		{gAttacker, 1, "attacker|adversary|hacker|malicious|attack vector|threat actor|untrusted|abuse"},
		{gAttacker, .6, "attack|attacked|is attacked"},
		{gImpact, 2, "steal cookie|steal session|steal token|steal credential|stealing cookie|steal user|steal data|hijack account|" +
			"hijack session|take over|full compromise|complete compromise|system compromise|server compromise|account compromise|" +
			"compromise of|get access to|gain access|gain admin|gain root|gain full|gain shell|gain unauthorized|full control|read any file|" +
			"read any|write any|delete any|read other users|read files|arbitrary sql|execute javascript|execute arbitrary|" +
			"execute code|run any command|execute any command|execute shell|execute system command|exfiltrate|exfiltration|" +
			"secret exfiltration|leaks key|leak key|leaks private|leak secret|leaks secret|leak token|leaks token|" +
			"leak password|leak credential|leaks xor|impersonate|impersonation|dump database|" +
			"dump entire database|dump all|dump users|view other users|view other users data|see other users|" +
			"see other users data|see another users|another users|other users data|other users information|" +
			"access other users|other users notification|other user account|other tenant|another tenant|access internal|" +
			"internal network|internal services|cloud metadata|metadata endpoint|crash server remotely|remotely crash|" +
			"bypass security|bypass protection|bypass check|bypass filter|bypass validation|bypass restriction|" +
			"can be bypassed|could be bypassed|can be skipped|skips code|bypass of|password hash|password hashes|hash of every|of every user|of all users|of other users|other peoples|delete other|download other|brute forced|personal data|customer data|be forged|forge request|forge token|forge cookie|tamper|" +
			"cross tenant|as root|root access|admin access|administrator account|admin account|sensitive information|" +
			"sensitive data|sensitive files|confidentiality|data breach|cpu exhaustion|resource exhaustion|" +
			"memory exhaustion|infect|site got hacked|site was hacked|got hacked|been hacked|inject malware|malware"},
		{gCrafted, 2, "specially crafted|maliciously crafted|crafted file|crafted input|crafted request|crafted packet|" +
			"crafted payload|crafted image|crafted url|crafted link|crafted archive|crafted message|crafted document|" +
			"crafted html|crafted string|crafted header|crafted data|crafted zip|crafted certificate|crafted pdf|via crafted|" +
			"maliciously constructed|malicious constructed|carefully crafted|with crafted|crafted"},
		{gCrafted, 1, "malformed input|malformed file|malformed packet|malformed image|invalid file|fuzzing|fuzzer|fuzzed|" +
			"fuzz|libfuzzer|afl|honggfuzz|oss fuzz|poc file|crash input|reproducer file|via fuzzing"},
	}
}

// mechanisms says how it comes about: mostly a check that is not made.
func mechanisms() []entry {
	return []entry{
		{gMech, 2, "without authentication|without authorization|without any authentication|without logging in|without login|" +
			"without being authenticated|without being logged in|no authentication|not require authentication|" +
			"no authentication required|does not check authorization|not checking authorization|not check permission|" +
			"no permission check|missing permission check|missing authorization check|missing access control|" +
			"does not verify ownership|no ownership check|does not check owner|not enforce|" +
			"unsanitized|unsanitised|not sanitized|not sanitised|not properly sanitized|without sanitization|without sanitizing|" +
			"without sanitisation|not sanitize|not sanitizing|lack of sanitization|improper sanitization|improper neutralization|" +
			"not escaped|unescaped|without escaping|not properly escaped|no escaping|not escape|no filtering|not filtered|" +
			"unfiltered|without filtering|without any filtering|not filter|lack of input validation|no input validation|" +
			"missing input validation|improper input validation|improper validation|insufficient validation|unvalidated|" +
			"without validation|without validating|without proper validation|without strict validation|no validation|" +
			"not validate|not validated|not verify|does not properly|without proper|without checking|fails to validate|fails to verify|" +
			"fails to check|fails to escape|fails to sanitize|fails to properly|string concatenation|directly concatenated|directly concatenates|" +
			"concatenates user|concatenated into query|concatenated into sql|concatenated directly|concatenated into|" +
			"interpolated into|passed directly to|passes directly to|directly to shell|passed to eval|passed to exec|" +
			"passed to system|shell true|shell execution|dangerouslysetinnerhtml|into innerhtml|parameter is vulnerable|" +
			"controlled by user|controlled by attacker|without csrf|no csrf|missing csrf|lack of csrf|csrf token is missing|" +
			"not constant time|non constant time|in constant time|not made in constant time|constant time comparison|" +
			"constant time equality|memcmp|same nonce|same iv|same key and nonce|nonces must never|hard coded key|hardcoded key|" +
			"hardcoded secret|hardcoded password|hardcoded jwt secret|hardcoded token|default secret|insecureskipverify|certificate validation disabled|verify false|strcpy|sprintf|wraps around|no rate limit on|can guess|md5 time|hardcoded credential|hard coded credential|hard coded password|" +
			"signature is not verified|signature not verified|not verify signature|does not verify signature|" +
			"signature verification|signature check|certificate is not verified|disables certificate validation|" +
			"skips verification|not cryptographically secure|changing id|change id|changing user id|change user id|" +
			"changing users id|changing id in url|change id in url|by changing|by manipulating|by modifying|by tampering|by incrementing|id parameter|" +
			"enumerate ids|enumerating|path separator|dot dot|user input|outside extraction root|escape root|outside root|" +
			"outside of directory|any file outside|old cookie|remains valid after|still valid after logout|" +
			"concatenate|concatenation|concatenated|denylist bypass|blacklist bypass|whitelist bypass"},
		{gSecret, 3, "private key leaked|private key leak|private key leakage|leaked private key|private key exposed|" +
			"exposed private key|private key committed|private key is committed|private key in repo|private key in repository|" +
			"api key leak|api key leaked|api key leakage|leaked api key|exposed api key|api key exposed|api key is exposed|" +
			"api key is committed|api key committed|committed api key|key is committed|token leaked|leaked token|" +
			"token leak|token leakage|token exposed|exposed token|secret leaked|leaked secret|secrets leaked|exposed secret|" +
			"exposed credential|credential leak|credentials leaked|leaked credential|hardcoded api key|aws key|" +
			"aws access key|aws credentials|committed secret|committed private key|password leaked|leaked password|" +
			"credentials exposed|credentials committed|third party api key|api key secret|user token logged|" +
			"like api key|your api key is|tokens committed|token committed"},
	}
}

// shadows are everyday phrases with the words of a hole in them.
func shadows() []entry {
	return []entry{
		{gShadow, 1, "memory leak|memory leaks|leak memory|resource leak|goroutine leak|csrf token|csrf token mismatch|" +
			"csrf protection|csrf verification failed|csrf error|csrf cookie|csrf failed|csrf middleware|" +
			"invalid csrf|stack overflow question|dos box|ms dos|sandbox mode|sandbox environment|" +
			"sandbox account|code sandbox|access control allow origin|access control allow|" +
			"access control allow methods|constant time series|heart attack|panic attack|security exception|" +
			"attack speed|attack damage|xss filter|xss auditor|spoof location|brute force search|victim blaming|" +
			"dos prompt|from dos|in dos|401 unauthorized|error unauthorized|unauthorized error|insecure content"},
	}
}
