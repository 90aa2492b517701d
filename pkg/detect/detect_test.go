package detect

import "testing"

type testCase struct {
	name        string
	title, body string
	class       Class
	low, high   float64
}

func check(t *testing.T, cases []testCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := Read(c.title, c.body)
			if v.Class != c.class || v.Probability < c.low || v.Probability > c.high {
				t.Errorf("%q: %s %.3f %q, want %s in [%g, %g]", c.title, v.Class, v.Probability, v.Why, c.class, c.low, c.high)
			}
		})
	}
}

func sure(name, title, body string) testCase {
	return testCase{name, title, body, Vulnerability, confident, 1}
}

func likely(name, title, body string) testCase {
	return testCase{name, title, body, Vulnerability, suspect, 1}
}

func calm(name, title, body string) testCase {
	return testCase{name, title, body, Ordinary, 0, suspect - 0.001}
}

// other is a class that nothing is hidden of, whatever the probability: requests for a channel are to be
// redirected, the rest is not.
func other(name string, c Class, title, body string) testCase {
	if c == ContactRequest {
		return testCase{name, title, body, c, suspect, 1}
	}
	return testCase{name, title, body, c, 0, suspect - 0.001}
}

func TestReports(t *testing.T) {
	t.Parallel()
	check(t, []testCase{
		sure("sqli", "SQL injection in order search", "The `sort` parameter of /orders goes into the query unescaped. An attacker can dump the whole database.\n\nPoC: `/orders?sort=1 UNION SELECT email FROM users--`"),
		sure("sqli short", "SQL injection in /report", "The date filter is concatenated into the SQL string, so an attacker can read any table."),
		sure("stored xss", "Stored XSS in profile bio", "Put `<img src=x onerror=alert(1)>` into your bio, everyone who visits the profile runs it. Session cookies can be stolen."),
		sure("stored xss lets", "Stored XSS in comments", "A comment with a script tag is rendered without escaping, letting an attacker steal the session of any visitor."),
		sure("reflected xss", "Reflected cross-site scripting on the login page", "The `msg` parameter is echoed without escaping.\n\nSteps to reproduce:\n1. open /login?msg=<script>alert(document.domain)</script>\n2. the alert appears"),
		sure("rce", "Remote code execution via deserialization", "The worker unpickles whatever arrives on the queue. A malicious client can send a crafted pickle and execute arbitrary commands on the server. Exploit attached."),
		sure("deser", "Unsafe deserialization in session cookie → RCE", "The cookie is passed to ObjectInputStream without validation. With ysoserial I got a shell on the server."),
		sure("traversal", "Path traversal in download endpoint", "`GET /files?name=../../../../etc/passwd` returns the file. No authentication needed, so anyone can read arbitrary files."),
		sure("heap", "Heap buffer overflow in PNG chunk parser", "Found with libFuzzer. A crafted image makes the parser write past the buffer; the size is attacker-controlled.\n\n```\n==123==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602\nWRITE of size 8\n```"),
		sure("uaf", "Use-after-free when a connection is reset during TLS renegotiation", "A remote attacker can trigger this with a specially crafted packet; likely exploitable for code execution. ASAN trace below."),
		sure("auth bypass", "Authentication bypass in the admin API", "If the header X-Forwarded-User is set by the client, the server trusts it. An unauthenticated attacker can log in as admin."),
		sure("ssrf", "SSRF in webhook preview", "The preview fetches any URL without validation. I could read http://169.254.169.254/latest/meta-data and internal services."),
		sure("nonce", "AES-GCM nonce reuse leaks the authentication key", "The counter restarts at zero after a reboot with the same key, so nonces repeat. An attacker who sees two messages can recover the key and forge messages."),
		sure("key in repo", "Private key leaked in the repository", "deploy/id_rsa is committed and still valid. Anyone can log in to the production host with it. Please rotate the key."),
		sure("token in repo", "API token leaked in commit history", "A live cloud token is exposed in config.js, anyone can use it. It should be revoked."),
		sure("idor", "IDOR: other customers' invoices readable", "Change the id in /invoice/1001 to 1002 and you see another user's invoice. No permission check at all."),
		sure("idor words", "Security issue: can view other users' invoices", "By changing the id in the URL I could see another user's invoices. The server does not check ownership."),
		sure("signature", "Signature verification can be bypassed", "If the alg header is `none` the token is accepted. An attacker can forge tokens for any account."),
		sure("csrf", "CSRF in account settings", "The email change form has no CSRF token. A malicious page can change the victim's e-mail and take over the account."),
		sure("xxe", "XXE in SVG import", "The XML parser resolves external entities. A crafted SVG lets an attacker read local files.\n\n```xml\n<!DOCTYPE foo [<!ENTITY xxe SYSTEM \"file:///etc/passwd\">]>\n```"),
		sure("cmdi", "Command injection in the thumbnail generator", "The file name is passed directly to the shell, so `a;id;.png` runs id. An attacker who can upload a file executes arbitrary commands."),
		sure("redos", "ReDoS in the e-mail validator", "The pattern shows catastrophic backtracking. An attacker can send a crafted string of 50 characters and block the event loop: denial of service.\n\nPoC below."),
		sure("proto", "Prototype pollution in merge()", "merge({}, JSON.parse('{\"__proto__\":{\"admin\":true}}')) pollutes Object.prototype. An attacker controlling the input can bypass checks."),
		sure("open redirect", "Open redirect after login", "`/login?next=https://evil.com` sends the victim to a malicious site without validating the host. Useful for phishing. Impact: credentials theft."),
		sure("privesc", "Privilege escalation: viewer can become admin", "PATCH /api/users/me with {\"role\":\"admin\"} is accepted. Any authenticated user can gain admin access. Proof of concept: curl attached."),
		sure("zip slip", "Zip slip in theme upload", "Entries with ../ are extracted outside the target directory. An attacker can overwrite arbitrary files and get code execution."),
		sure("timing", "Timing attack on webhook signature", "The HMAC is compared with ==, which is not constant time. A remote attacker can recover the signature byte by byte."),
		sure("report form", "Vulnerability report", "## Vulnerability type\nServer-side template injection (CWE-1336)\n\n## Affected versions\n<= 2.4.1\n\n## Impact\nRemote code execution by an authenticated attacker.\n\n## Proof of concept\n`{{7*7}}` in the title renders 49."),
		sure("fenced report", "Security: arbitrary file read", "An attacker can read any file:\n\n```\ncurl 'http://host/get?f=../../etc/passwd'\n```\n"),
		sure("idor one line", "IDOR: change the id and see another user's invoices", "GET /invoices/42 answers for every logged in user."),
		sure("yaml", "Arbitrary code execution through YAML config", "yaml.load is used with the default loader, so opening a config from an untrusted source runs code. PoC: `!!python/object/apply:os.system [\"id\"]`"),
		sure("overflow", "Integer overflow in length check leads to out-of-bounds write", "When len is 0xffffffff the addition wraps around and memcpy writes past the end of the buffer. Triggered by a crafted file."),
		sure("reset token", "Security: reset token is predictable", "The password reset token is md5(time()). An attacker can guess it and take over any account."),
		sure("debug", "Unauthenticated access to /metrics and /debug", "Reachable from the internet without login. An attacker can download heap dumps which contain session tokens."),
		sure("tmp", "Insecure temp file allows local privilege escalation", "/tmp/app.lock has a predictable name. A local attacker can plant a symlink and overwrite any file as root."),
		sure("html mail", "HTML injection in e-mail notifications", "The project name is not escaped, so an attacker can put links into mails sent by the server (phishing)."),
		sure("sharing", "Vulnerability: Broken access control in file sharing", "1. Log in as user A, share a file.\n2. Log in as user B, change the id.\n3. B can download A's private file."),
		likely("svg", "XSS via SVG upload", "Uploading an SVG with an onload handler executes JavaScript when the picture is viewed by an admin."),
		likely("blind ssrf", "Blind SSRF in avatar import", "By giving an internal address as avatar URL, I can port scan the internal network of the server."),
		likely("updater", "Certificate validation disabled in updater", "The updater uses InsecureSkipVerify: true, so a man-in-the-middle can serve a malicious update."),
		likely("old session", "Session not invalidated on password change", "Old sessions remain valid. An attacker who stole a cookie keeps access."),
		likely("uaf fuzz", "Heap-use-after-free in xml reader", "Found by fuzzing with AFL. Reproducer attached.\n```\n==1==ERROR: AddressSanitizer: heap-use-after-free\nREAD of size 8\n```"),
		likely("bare", "XSS vulnerability", "The search page does not escape its input."),
		likely("title only", "SQL injection vulnerability in login.php allows authentication bypass", ""),
		likely("terse", "SQL injection in admin/list", "You can inject into the order field. This is a security issue."),
	})
}

func TestReportsOfTheWorld(t *testing.T) {
	t.Parallel()
	check(t, []testCase{
		sure("zh sqli", "后台搜索存在SQL注入漏洞", "参数 keyword 未过滤直接拼接到 SQL 语句中，攻击者可以获取数据库中的全部数据。\n\n复现步骤：\n1. 登录后台\n2. 访问 /search?keyword=1' or 1=1"),
		sure("zh traversal", "任意文件读取漏洞", "下载接口没有校验文件名，攻击者可通过 ../../etc/passwd 读取任意文件，无需登录。"),
		sure("zh idor", "订单接口越权访问", "修改id即可查看其他用户的订单，接口没有校验权限，存在安全漏洞。"),
		sure("zh-tw", "遠端程式碼執行漏洞", "攻擊者上傳惡意檔案後可執行任意指令，沒有驗證副檔名。PoC 如下。"),
		sure("es sqli", "Inyección SQL en el buscador", "El parámetro q se concatena directamente en la consulta. Un atacante puede volcar toda la base de datos."),
		sure("es xss", "Vulnerabilidad XSS almacenado en los comentarios", "El texto no se escapa: un atacante puede robar cookies de sesión de otros usuarios."),
		sure("pt sqli", "Injeção de SQL na página de login", "O campo usuário é concatenado diretamente na consulta. Um atacante pode ler todo o banco de dados."),
		sure("pt auth", "Falha de segurança: bypass de autenticação", "Qualquer usuário pode acessar /admin sem autenticação e ver dados de outros usuários."),
		sure("ru sqli", "SQL-инъекция в форме поиска", "Параметр q не фильтруется, злоумышленник может получить дамп базы. Уязвимость есть во всех версиях."),
		sure("ru idor", "Уязвимость: чужие счета доступны любому", "Если поменять id в адресе, видны счета других пользователей. Сервер не проверяет права, злоумышленник может скачать всё."),
		sure("fr sqli", "Faille de sécurité : injection SQL dans la recherche", "Le paramètre q est concaténé directement dans la requête. Un attaquant peut extraire la base de données."),
		sure("fr xss", "Faille XSS dans le profil", "Le champ bio n’est pas échappé, un attaquant peut voler les cookies des autres utilisateurs."),
		sure("de sqli", "Sicherheitslücke: SQL-Injection in der Suche", "Der Parameter q landet ungefiltert in der Abfrage. Ein Angreifer kann die gesamte Datenbank auslesen."),
		sure("de idor", "Sicherheitslücke: Rechnungen anderer Kunden einsehbar", "Ändert man die ID in der URL, sieht man Rechnungen anderer Nutzer. Der Server prüft das nicht, ein Angreifer kann alle Daten auslesen."),
		sure("ja xss", "プロフィール欄に格納型XSSの脆弱性", "入力がエスケープされていないため、攻撃者が他のユーザーのクッキーを盗むことができます。"),
		sure("ja auth", "認証バイパスの脆弱性", "ヘッダーを変更するだけで、認証なしで管理画面にアクセスできます。攻撃者が他のユーザーの情報を閲覧できてしまいます。"),
		likely("ko", "로그인 SQL 인젝션 취약점", "공격자가 인증 없이 다른 사용자의 정보를 볼 수 있습니다."),
	})
}

// Titles that ask or announce work may be suspect; they never blank an issue.
func TestNeverSure(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"Is this library vulnerable to XXE?", "The docs don't say whether an attacker can use external entities."},
		{"How do I exploit the privilege escalation in this box?", "I can't get the payload to work as a low privileged user."},
		{"Add support for SSRF protection", "Block private addresses so that an attacker cannot reach internal services."},
		{"Prevent stored XSS in comments", "Escape comments so that an attacker cannot steal cookies."},
	} {
		if v := Read(c[0], c[1]); v.Probability >= confident {
			t.Errorf("%q: %v %.3f %q", c[0], v.Class, v.Probability, v.Why)
		}
	}
}

func TestContactRequests(t *testing.T) {
	t.Parallel()
	check(t, []testCase{
		other("how", ContactRequest, "How can I report a security vulnerability privately?", "I could not find a SECURITY.md."),
		other("enable", ContactRequest, "Please enable private vulnerability reporting", "I would like to report something."),
		other("who", ContactRequest, "Security contact?", "Hi, I found a security issue in your project. Who do I contact? I would rather not post details here."),
		other("email", ContactRequest, "Security email", "I have discovered a vulnerability and would like to disclose it responsibly. Is there an email address I can use?"),
		other("kind named", ContactRequest, "Where to report a vulnerability", "I believe there is an injection problem. Could you give me a private channel, e.g. a security email, so I can share the details privately?"),
		other("zh", ContactRequest, "如何报告安全漏洞？", "发现一个安全漏洞，不方便公开，请问有安全邮箱或联系方式吗？"),
		other("es", ContactRequest, "¿Cómo puedo reportar una vulnerabilidad?", "Me gustaría hacerlo de forma privada. ¿Hay un contacto de seguridad?"),
		other("de", ContactRequest, "Sicherheitslücke melden", "Ich möchte eine Schwachstelle vertraulich melden. An wen kann ich mich wenden?"),
	})
}

func TestDependencies(t *testing.T) {
	t.Parallel()
	check(t, []testCase{
		other("bump", DependencyCVE, "Bump lodash to 4.17.21 (CVE-2021-23337)", "Command injection in lodash before 4.17.21."),
		other("snyk", DependencyCVE, "Snyk: 3 high severity vulnerabilities", "Snyk reports vulnerable dependencies: axios, minimist. Please upgrade."),
		other("audit", DependencyCVE, "npm audit reports vulnerabilities", "found 12 vulnerabilities (3 moderate, 9 high)\nrun `npm audit fix`"),
		other("question", DependencyCVE, "Does CVE-2023-0286 in openssl affect you?", "Our scanner lists it for the docker image."),
		other("transitive", DependencyCVE, "Vulnerability in transitive dependency", "tar 4.4.1 has a known vulnerability (path traversal), GHSA-3jfq-g458-7qm9. Please update the dependency."),
		other("dependabot", DependencyCVE, "Dependabot alerts", "There are 4 Dependabot security alerts for packages in package-lock.json."),
		other("image", DependencyCVE, "CVEs in base image", "Trivy finds CVE-2024-1234 (critical) in libc of the base image; please rebuild with an updated one."),
		other("django", DependencyCVE, "Bump django from 4.2.1 to 4.2.7", "Fixes SQL injection vulnerability CVE-2024-42005, attacker can inject via crafted JSON keys. Severity: critical CVSS 9.8"),
		other("axios", DependencyCVE, "Dependabot: axios SSRF vulnerability", "SSRF in axios <1.8. Attackers can exfiltrate data. Upgrade to 1.8.2"),
		other("log4j", DependencyCVE, "Is this project affected by log4shell?", "You ship log4j 2.14, which has a known vulnerability."),
		other("jackson", DependencyCVE, "Upgrade jackson-databind due to CVE-2020-36518", "Denial of service via deeply nested objects. Fixed version 2.13.2.1."),
	})
}

func TestSpam(t *testing.T) {
	t.Parallel()
	check(t, []testCase{
		other("phish", Spam, "Security vulnerability detected in your repository!", "We have detected a security vulnerability in your repository. Click here to verify: https://gh-scan.example/login\n\nGitHub Security Team"),
		other("account", Spam, "Security Alert: Unusual Access Attempt", "We have detected a login attempt on your GitHub account from a new location. Secure your account: https://alerts.example.net\nGitHub Security Team"),
		other("airdrop", Spam, "Congratulations, claim your airdrop", "Dear developer, you have been selected. Connect your wallet at https://drop.example within 24 hours."),
		other("suspend", Spam, "Action required", "Your account will be suspended within 24 hours because of a vulnerability. Verify your identity at http://verify.example."),
	})
}

func TestOrdinary(t *testing.T) {
	t.Parallel()
	check(t, []testCase{
		calm("2fa", "Feature request: two-factor authentication", "It would be great to have TOTP so that a stolen password is not enough for an attacker."),
		calm("security md", "Please add a SECURITY.md", "GitHub recommends a security policy for every repository. See the docs."),
		calm("tls", "TLS handshake fails with OpenSSL 3", "certificate verify failed: unable to get local issuer certificate"),
		calm("cors", "Blocked by CORS policy", "Access to fetch at 'https://api.example' from origin 'http://localhost:3000' has been blocked by CORS policy"),
		calm("login", "Cannot log in after upgrade", "I get 401 Unauthorized with the right password since 2.3."),
		calm("memleak", "Memory leak in the worker", "RSS grows by 5 MB per hour until the OOM killer comes."),
		calm("segfault", "Segmentation fault on startup", "```\nSegmentation fault (core dumped)\n```\nUbuntu 22.04, installed from the PPA."),
		calm("csrf token", "CSRF token mismatch after session timeout", "When I leave the form open over night, submitting fails with 419 CSRF token mismatch."),
		calm("tool", "False positive: SQL injection rule flags a constant", "The scanner's rule reports SQL injection for a query without parameters."),
		calm("tool rule", "New rule: detect SSRF in Go", "Semgrep should detect requests to user-controlled URLs."),
		calm("ctf", "Challenge: stored XSS is too easy", "In the lab about XSS the payload from lesson 2 solves the exercise at once."),
		calm("docs", "Docs: explain how to prevent SQL injection", "The tutorial should mention prepared statements and XSS."),
		calm("checklist", "Security hardening checklist", "- [ ] rate limiting\n- [ ] CSP against XSS\n- [ ] CSRF tokens\n- [ ] dependency scanning"),
		calm("announcement", "Release 2.4.1 fixes an XSS vulnerability", "2.4.1 has been released. It contains a security fix for a stored XSS that was fixed in #812. Please upgrade to 2.4.1."),
		calm("question", "Is the session cookie HttpOnly?", "Just a question about how authentication works here."),
		calm("template", "Button overlaps the footer", "### Checklist\n- [x] This is not a security vulnerability\n\nIf this is a security issue, please report it privately to security@example.org. Do not open a public issue for security vulnerabilities.\n\n### What happened\nThe button overlaps the footer on mobile."),
		calm("comment", "Typo in the menu", "<!-- If you found a vulnerability such as SQL injection or XSS that lets an attacker execute arbitrary code, mail us. -->\n\"Setings\" should be \"Settings\"."),
		calm("test", "Add tests for HTML escaping", "We should have a unit test that makes sure that the XSS filter handles attributes."),
		calm("not one", "Weird redirect after logout", "Not a security issue, I think: the next parameter is lost and I land on the home page."),
		calm("joke", "This game is a security risk for my free time", "I played till 4 am. Great work!"),
		calm("stack overflow", "Link to Stack Overflow question is dead", "The README links to a Stack Overflow question that was deleted."),
		calm("overflow css", "Text overflow in the sidebar", "Long titles overflow the box. See screenshot."),
		calm("inject", "Dependency injection container throws", "Injecting a service into the controller fails with an exception: cannot resolve service."),
		calm("token", "Access token expires too early", "The access token is refreshed, but the app logs me out and shows \"unauthorized\"."),
		calm("av", "Windows Defender flags the installer as trojan", "Probably a false positive, VirusTotal shows 2 of 70."),
		calm("crash", "App crashes with SecurityException", "java.lang.SecurityException: Permission Denial: reading com.android.providers\n at android.os.Parcel"),
		calm("permission", "Permission denied when running as non-root", "mkdir /data: permission denied"),
		calm("attack", "Attack animation plays twice", "When the enemy attacks, the attack animation plays two times and the damage is wrong."),
		calm("injury", "Exploit the GPU better", "We could exploit SIMD here for more performance."),
		calm("zh", "登录后页面空白", "升级之后登录成功，但是页面是空白的，希望修复。"),
		calm("de", "Absturz beim Öffnen der Einstellungen", "Die App stürzt ab, sobald ich die Einstellungen öffne."),
		calm("es", "Error al iniciar sesión", "Después de actualizar no puedo iniciar sesión con mi contraseña."),
		calm("ru", "Не работает тёмная тема", "После обновления тёмная тема не включается."),
		calm("ja", "ログイン画面のレイアウト崩れ", "スマホで見るとボタンが重なります。"),
		calm("headers", "Add Content-Security-Policy header", "A CSP would help prevent XSS. It would be nice to have an option for it."),
		calm("supply", "Pin GitHub Actions by hash", "Best practice is to pin actions to prevent supply chain attacks."),
		calm("zap", "[Bug] ZAP reports XSS false positive", "Active scan reports cross site scripting on JSON responses."),
		calm("hashing", "Improve password hashing", "Switch to argon2, attackers can crack md5 quickly."),
		calm("release", "v1.8.2 security release", "Fixes CVE-2024-9999: stored XSS allowing attackers to execute scripts. All users should upgrade."),
		calm("pentest list", "Pentest checklist for Q3", "- SQL injection\n- XSS\n- CSRF\n- Authentication bypass"),
		calm("test fails", "Test suite: XSS payload test fails on Windows", "expect(escape('<script>alert(1)</script>')) fails"),
		calm("threat model", "Document threat model", "What can an attacker do with a stolen session? What about CSRF, XSS and SSRF? We should write it down."),
		calm("game", "Attackers spawn inside walls", "In level 4 the attackers can walk through walls and kill the player."),
		calm("story", "feat: implement CSRF protection for forms", "As a user I want my forms protected so that attackers cannot forge requests."),
		calm("epic", "Epic: Security review", "Tasks: check for SQL injection, check for XSS, review authentication bypass risks, fuzz the parser."),
		calm("corrupt png", "Crash when opening corrupted PNG", "The viewer crashes when I open the attached broken file."),
		calm("weekly", "Weekly security report", "No vulnerabilities found. 0 critical, 0 high."),
		calm("empty", "", ""),
	})
}
