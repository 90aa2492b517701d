package detect

// reports are the words of people who report.
func reports() []entry {
	return []entry{
		{gGeneric, 2, "security vulnerability|security vulnerabilities|security issue|security hole|security flaw|security bug|" +
			"security risk|security problem|security weakness|security defect|vulnerability|vulnerabilities|vuln|vulns|vulnerable|vulnerable to|" +
			"is vulnerable|are vulnerable|vulnerability in|vulnerability exists|vulnerability allows|vulnerability via|" +
			"critical vulnerability|high severity vulnerability|exploitable|exploit|exploited|exploitation|can be exploited|" +
			"could be exploited|0day|zero day|0 day|susceptible to|prone to|subject to attack|security impact|security report|" +
			"security concern|security critical|security implication|security threat|potential security"},
		{gPoC, 2, "proof of concept|poc|poc code|exploit code|exploit poc|payload|burp|burp suite|burpsuite|metasploit|sqlmap|" +
			"malicious request|exploit script|exploit scenario|attack scenario|attack scenarios|following payload|" +
			"xss payload|working exploit|python exploit|evil com|attacker com|open poc|pwned|pwn"},
		{gPayload, 2.5, "script alert|alert 1|alert xss|alert document|alert document cookie|alert document domain|onerror alert|onload alert|" +
			"svg onload|img src x|javascript alert|javascript prompt|etc passwd|etc shadow|win ini|union select|or 1 1|and 1 1|1 or 1|" +
			"and sleep|sleep 5|waitfor delay|extractvalue|updatexml|load_file|xp_cmdshell|information_schema|" +
			"3cscript|2fetc|cat etc|whoami|phpinfo|jndi ldap|169 254 169 254|system file etc|entity xxe|doctype foo|entity system|" +
			"touch tmp|tmp pwned|ysoserial|javax script|touch pwned|open calc|calc exe|" +
			"proto polluted|constructor prototype|alg none|document cookie|document location"},
		{gForm, 1.5, "vulnerability type|vulnerability details|vulnerability detail|vulnerability description|vulnerability summary|" +
			"vulnerability location|vulnerability name|vulnerability url|vulnerability analysis|vulnerability point|" +
			"vulnerability report|vulnerability overview|description of vulnerability|cause of vulnerability|" +
			"vulnerability proof|vulnerable code|vulnerable function|vulnerable endpoint|vulnerable parameter|" +
			"vulnerable component|vulnerable file|vulnerable location|affected code|affected component|affected endpoint|" +
			"affected versions|versions affected|version affected|attack type|attack vector|attack complexity|cvss|cvss #|cvss score|" +
			"cvss v3|cvss vector|av n ac|av l ac|cwe|cwe #|owasp|security researcher|penetration test|penetration tester|" +
			"pentest|pen test|pentester|bug bounty|bounty|responsible disclosure|responsibly disclose|coordinated disclosure|" +
			"security team|hackerone|huntr|bugcrowd|severity high|severity critical|severity medium|cve id request|" +
			"request cve|cve id|recommended fix|suggested fix|remediation|mitigation|root cause|threat model|" +
			"security audit|security testing|security review|security assessment|issue occurred|security advisory|" +
			"cve assigned|assigned cve|cve request|sonarqube|step to exploit|steps to exploit|how to exploit|how to reproduce|" +
			"confidentiality impact|security critical|responsible way|disclosure timeline|disclosure policy"},
		{gForm, 1, "impact|steps to reproduce|step to reproduce|reproduction steps|to reproduce|reproduce|severity|discovered by|" +
			"reported by|security|secure|reporter|security policy"},
		{gGeneric, 1, "sensitive|exposed|exposure|leaked|leakage|leak|bypass|hijack|hijacking|injection|inject|overflow|" +
			"unsafe|weakness|compromise|compromised|disclosure|hack|hacked|traversal|deserialization|escalation"},
	}
}

// dependencies: the hole is known to the world, and belongs to somebody else. It takes a phrase of both groups.
func dependencies() []entry {
	return []entry{
		{gPublic, 2.5, "ghsa|cve #y #|nvd nist gov|snyk|dependabot|npm audit|npm audit report|yarn audit|pip audit|bundle audit|bundler audit|cargo audit|" +
			"govulncheck|npm audit fix|retirejs|retire js|trivy|grype|nexus iq|owasp dependency check|dependency check|security scan|security scanner|" +
			"image scan|container scan|vulnerability scan|vulnerability scanner|twistlock|blackduck|black duck|whitesource|sonatype|" +
			"osv dev|security alert|docker scout|vulnerability database|dependency track|security bulletin|log4shell|spring4shell|heartbleed|" +
			"vulnerable version|vulnerable version of|vulnerable dependency|vulnerability in dependency|dependency vulnerability|" +
			"vulnerable package|vulnerable library|vulnerable libraries|known vulnerability|known vulnerabilities|known security|known cve|" +
			"# vulnerability|# high severity vulnerability|# moderate severity vulnerability|# critical vulnerability|found # vulnerability|" +
			"security vulnerability in dependency|depends on vulnerable|uses vulnerable|using vulnerable|affected by cve|affected by log4j|" +
			"affected by ghsa|vulnerable to cve|impacted by cve|fix cve|address cve|mitigate cve|does this affect|are you affected|affect you|" +
			"security advisories alert|severity vulnerability"},
		{gDepend, 2, "bump|transitive dependency|transitive|outdated dependency|upgrade dependency|update dependency|update dependencies|" +
			"dependency update|base image|docker image|container image|due to vulnerability|due to vulnerabilities|due to security vulnerability|" +
			"address vulnerability|address ghsa|version is affected|security update of|please upgrade|needs to be updated|" +
			"update to more recent version|more recent version|upgrade to latest|update to latest|should be updated|old version of|outdated version of|" +
			"uses old version|use old version|upgrade to|update to|upgraded to|updated to|am i affected|is affected by|node_modules|package lock|" +
			"package json|pom xml|composer lock|yarn lock|gemfile lock|requirements txt|go sum|go mod|cargo lock|log4j|openssl|lodash|jackson|libcurl|zlib|" +
			"nokogiri|jquery|electron|minimist|axios|snakeyaml|libxml2|libwebp|third party library|third party libraries|renovate"},
		{gDepend, 1, "dependency|upgrade|update|library|package|patched version|fixed version|component"},
	}
}

// contacts ask for a way to report.
func contacts() []entry {
	return []entry{
		{gContact, 3, "report privately|report it privately|report this privately|report them privately|privately report|" +
			"report vulnerability privately|report security vulnerability privately|report security issue privately|" +
			"vulnerability privately|issue privately|issues privately|privately|in private|in private manner|" +
			"how to report vulnerability|how to report security|how can i report|how do i report|how should i report|" +
			"how can we report|how do we report|where can i report|where should i report|where do i report|where to report|" +
			"who do i contact|who can i contact|who should i contact|whom should i contact|whom to contact|who to contact|" +
			"how can i contact|how do i contact|how can i reach|how to contact|best way to report|best way to contact|" +
			"best way to disclose|best way to submit|right way to report|preferred way to report|private channel|" +
			"private way|private contact|private email|private disclosure|private reporting|private reporting channel|private vulnerability reporting|" +
			"private security contact|security contact|security email|secure channel|security contact email|contact for security|contact point|" +
			"point of contact|email address|contact email|contact method|disclosure channel|reporting channel|report channel|" +
			"enable private vulnerability reporting|enable private reporting|enable security advisories|reporting security|" +
			"reporting security vulnerability|reporting security issue|reporting security bug|reporting security vulnerabilities|reporting vulnerability|disclose responsibly|responsibly disclose|" +
			"disclose privately|disclose it responsibly|disclose this responsibly|responsible manner|responsible disclosure contact|" +
			"process for reporting|process for disclosing|procedure for reporting|way to report|method for reporting|to report vulnerability|report security vulnerability|" +
			"communicate details|share details|share the details|share details privately|send details|contact you|reach you|" +
			"reach out to|get in touch|please contact me|contact me|pgp key|gpg key|not public|instead of public|publicly|public issue|" +
			"security md|no security md|security policy|have not disclosed|no details here|without disclosing|avoid disclosing|not including|not disclose"},
		{gShadow, 1, "reported privately|was reported privately|disclosed privately"},
	}
}

// spam is phishing dressed as an alert. A single phrase is never enough: projects about mail and wallets use them too.
func spam() []entry {
	return []entry{
		{gSpam, 3, "github security team|security team of github|security team at github|github support team|github notification team|" +
			"security vulnerability in your repository|vulnerability in your repository|vulnerability in your account|" +
			"vulnerability detected in your repository|vulnerability detected in your account|issue with your repository|" +
			"your github account|your repository has been|your account has been|your account will be|account will be suspended|" +
			"account suspended|account has been suspended|account limited|unusual access|unusual login|unusual sign in|unusual activity|" +
			"suspicious login|suspicious activity on your account|suspicious sign in|suspicious access|verify your account|verify your identity|confirm your account|" +
			"confirm your identity|verify your wallet|connect your wallet|claim airdrop|claim your airdrop|claim your token|claim your reward|free nft|" +
			"nft giveaway|token giveaway|click here to verify|click here to secure|click link below|click following link|verify ownership of your repository|" +
			"secure your account|restore access to your account|reset your password immediately|urgent action required|immediate action required|" +
			"github scanner|hire hacker|recover your funds|recovery of lost|send bitcoin|double your|investment opportunity|" +
			"you have been selected|you have been chosen|security alert unusual|will be deleted permanently|repository will be removed|repository will be deleted"},
		{gSpam, 1.5, "click here|click below|airdrop|giveaway|within 24 hours|within 48 hours|last warning|final warning|seed phrase|recovery phrase|" +
			"whatsapp|telegram me|dear user|dear customer|dear developer|dear github user|hey there|eligible for|download our tool|scanner to fix|" +
			"more information on how to fix|contact us at|limited time|limited offer|action required|we have detected|we detected|review activity|authorize|" +
			"your wallet|your repository|casino|viagra|seo services|bit ly|t me|urgent"},
		{gLink, 1, "http"},
	}
}

// ordinary are the phrases of wishes, lessons, announcements and everyday bugs.
func ordinary() []entry {
	return []entry{
		// Only as the first word of a title: an imperative announces work, not a finding.
		{gImperative, 1, "add|prevent|support|implement|improve|document|consider|build|block|create|introduce|refactor|test|feat|chore|doc|ci|" +
			"rule|task|epic|lab|challenge|release|announcing|announcement|discussion|demonstrate|learn|update|upgrade|check|enable|" +
			"investigate|research|review|harden|rfc|proposal|idea|study|explain|write|homework|lesson|course|enhancement|feature|ctf|bump|dependabot|snyk|renovate|deps|dependencies|fix|fixed|" +
			"allow|display|list|provide|include|extend|simulate|teach|survey|poll|meta|tracking|retrospective|minutes|agenda|plan|design|spec|kata|quiz|level|scenario"},
		{gImperative, 2, "how|why|what|is|are|does|do|should|would|anyone|question"}, // and questions
		{gFeature, 1, "feature|implement|implementing|option to|docs|documentation|readme|ability to|todo|to do|csp|suggestion|unit test|test case"},
		{gFeature, 2, "feature request|enhancement|would be nice|would be great|would like to see|it would be|i would like|" +
			"would love|please add|add support|add support for|support for|adding support|is your feature request|proposal|" +
			"wishlist|add option|add ability|add check|allow user to|allow admin|new check|rfe|" +
			"goal of this issue|goal of this ticket|we should|should be possible|could be useful|nice to have|roadmap|epic|checklist|" +
			"tracking issue|acceptance criteria|definition of done|user story|as user i want|so that i can|" +
			"document how|add tests|refactor|hardening|harden|defense in depth|" +
			"defence in depth|best practice|content security policy|2fa|two factor|totp|mfa support|password policy|strong password|" +
			"show hide password|add security policy|add security md|create security md|please add security md|let us encrypt|improve security|better security|for security reasons|" +
			"security improvement|security feature|security enhancement|increase security|extra security|added security|more secure|" +
			"use case|proposed solution|possible solution|describe the solution|alternatives considered|additional context|happy to send|happy to contribute|can prepare|" +
			"willing to contribute|deliverables|out of scope|in scope|subtask|sub task|as developer|as maintainer|as administrator i|opt in|configurable"},
		{gTool, 1, "rule|task|module|phase|milestone|sprint|list of|resources|collection|paper|papers|video|slides|learn|study|exercise|training|presentation"},
		{gTool, 3, "challenge|challenges|lab|ctf|juice shop|dvwa|webgoat|hack the box|htb|tryhackme|hackthebox|vulnhub|vulnerable by design"},
		{gTool, 2.5, "false positive|false positives|false negative|ruleset|detection rule|new rule|rule reports|semgrep|codeql|linter|eslint|" +
			"homework|assignment|course|lesson|lecture|tutorial|workshop|" +
			"owasp top 10|blog post|writeup|write up|article about|awesome list|reading list|" +
			"campaign|blocklist|blacklist npm|malware detected|windows defender|virustotal|trojan|antivirus|" +
			"flags as|flagged as|detected as|zap|nuclei|nuclei template|scanner should|plugin should detect|detect xss|" +
			"detect sql injection|demonstrate|demonstration of|simulate|simulation of|emulate|honeypot|cheat sheet|cheatsheet|wordlist|payload list|walkthrough|" +
			"should detect|should flag|should report|should list|should display|should display list|should warn about|should catch|detector for|rule for|check that flags|new detection|new template|" +
			"vulnerable app|vulnerable application|vulnerable machine|vulnerable by intention|vulnerable on purpose|on purpose|teach|teaching|students|student|beginners|taxonomy|rating|" +
			"build vulnerability|build vulnerable|add vulnerability|add vulnerable|create vulnerable|write vulnerable|include vulnerable|new challenge|new lab|new level|post mortem|postmortem|threat hunting|intentionally vulnerable|" +
			"deliberately vulnerable|exploit db|advisory lists|review ghsa|advisory database|waf|web application firewall"},
		{gFixed, 2.5, "has been fixed|was fixed|were fixed|been fixed in|fixed in|fixed by|is fixed|already fixed|patched in|resolved in|has been patched|" +
			"already been fixed|was discovered and fixed|released|new release|security release|release notes|changelog|security fixes|" +
			"security fix|advisory published|published advisory|is now public|publicly disclosed|publicly known|we released|" +
			"please upgrade to|upgrade immediately|users should upgrade|users should update|all users are advised|many thanks to|there were|" +
			"thanks for reporting|thank you for reporting|thanks to everyone|kudos to|credit goes to|credits to|who discovered|who reported|who found|helped resolve|helped fix|helped us|" +
			"have been fixed|have fixed|now fixed|fixed since|as of version|since version|was resolved|been resolved|is resolved|been addressed|was addressed|addressed in|was patched|were patched|" +
			"retrospective|lessons learned|incident report|affected range|backported|hotfix released|security update|now available|was vulnerable|were vulnerable|" +
			"announcement|announcing|follow up|follow up to|follows up|cherry pick|backport"},
		{gNot, 3, "not security issue|not a security vulnerability|not vulnerability|not vulnerabilities|not security vulnerability|" +
			"not security related|not security problem|not security bug|no security impact|no security implication|" +
			"is not exploitable|not exploitable|not vulnerable|no longer vulnerable|isnt vulnerability|isnt security|arent vulnerable|isnt vulnerable|" +
			"not really security|no vulnerability|no vulnerabilities|without security impact|just joking|not affected|unrelated to security"},
		{gBug, 1, "crash|crashes|crashing|app crash|exception|stacktrace|stack trace|traceback|nullpointerexception|error message|" +
			"expected behavior|expected behaviour|expected result|actual behavior|actual result|current behavior|does not work|doesnt work|not working|cant login|" +
			"cannot login|unable to|fails with|failed to|build fail|compile|compilation|install|installation|upgrading|after upgrade|" +
			"performance|slow|typo|translation|layout|screenshot|blocked by cors|cors policy|handshake|certificate verify failed|" +
			"permission denied|permission denial|login fail|login failed|segmentation fault|core dumped|memory leak|ui|button|menu|dark mode|how to|how do i use|question|" +
			"should succeed|should pass|should be accepted|should work|should be allowed|should be possible to|always fails|always returns|is rejected|are rejected|rejects valid|valid token|" +
			"valid certificate|valid signature|no longer works|used to work|stopped working|is refused|too strict|false alarm"},
		{gBug, 2, "spawn|spawns|respawn|through walls|through wall|kill player|kills player|hit points|boss fight|game level|level #|wave #|defenders"}, // games: an attacker there is a figure
	}
}

// modifiers speak about the sentence that they stand in. What templates say about security is much the same everywhere.
func modifiers() []entry {
	return []entry{
		{gTemplate, 1, "please report security|report security vulnerabilities to|report security issues to|report security bugs to|please report vulnerabilities|" +
			"do not report security|dont report security|do not file security|do not open security|do not submit security|" +
			"do not open public issue|dont open public issue|do not use this form|do not disclose|please do not open|do not create public|" +
			"security issues should be reported|security vulnerabilities should be reported|security bugs should be reported|vulnerabilities must be reported|" +
			"security vulnerabilities please|for security issues|for security vulnerabilities|for security related issues|for security bugs|" +
			"if this is security|if you found security|if you find security|if you have found security|if you think you have found security|" +
			"if you believe you have found|if you discover security|if you believe this is security|if you have discovered security|in case of security|" +
			"if your issue is security|if issue is security|if it is security|if it relates to security|if you are reporting security|if this is vulnerability|" +
			"this is not security|this issue is not security|i confirm that this is not|does not contain security|is not security vulnerability|i have read security policy|" +
			"read our security policy|see our security policy|see security policy|refer to security policy|per our security policy|follow security policy|" +
			"report it privately to|report them privately to|report it responsibly|email security|mail to security|remove sensitive|" +
			"redact|sensitive information from logs|remove any sensitive|mask any|strip any sensitive|search existing issues|" +
			"no response|code of conduct|please make sure you|before submitting"},
		{gPrevent, 1, "protection|protect|protects|to protect against|protect against|protects against|protection against|to mitigate|to avoid|helps prevent|" +
			"to be safe from|safe against|defend against|guard against|check for|scan for|detect|detection of|to detect|test for|tests for|" +
			"learn about|such as|like xss|in order to prevent|can be used to prevent|would prevent|will prevent|would protect|prevent some|to prevent|prevent possible|" +
			"if attacker had|potential future|would be safer|avoid xss|avoid sql injection|prevent xss|prevent csrf|prevent sql injection|resistant to|immune to"},
		{gNegate, 1, "false positive|not vulnerable|not exploitable|not vulnerability|no xss|no sql injection|no risk of|not at risk|no longer|isnt vulnerable|" +
			"has been fixed|was fixed|were fixed|is fixed|already fixed|not affected|cannot be exploited|cant be exploited|is safe from|" +
			"should be vulnerable|intentionally vulnerable|deliberately vulnerable|intentionally|deliberately|how would|is prevented|are prevented"},
	}
}
