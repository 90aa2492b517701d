package detect

// romance are the phrases of Spanish, Portuguese, Italian and French. The names of holes are English nearly everywhere;
// accents are folded away on both sides.
func romance() []entry {
	return []entry{
		// Spanish, Portuguese, Italian
		{gType, 3, "inyeccion sql|inyeccion de sql|inyeccion de codigo|inyeccion de comandos|ejecucion remota de codigo|" +
			"ejecucion de codigo remoto|ejecucion de codigo arbitrario|ejecutar codigo arbitrario|ejecutar comandos arbitrarios|" +
			"salto de directorio|recorrido de directorios|lectura arbitraria de archivos|leer archivos arbitrarios|omision de autenticacion|" +
			"evasion de autenticacion|saltarse la autenticacion|eludir la autenticacion|bypass de autenticacion|escalada de privilegios|escalamiento de privilegios|" +
			"elevacion de privilegios|falsificacion de peticiones|deserializacion insegura|redireccion abierta|desbordamiento de bufer|" +
			"desbordamiento de buffer|toma de control de cuenta|secuestro de sesion|xss almacenado|xss reflejado"},
		{gType, 3, "injecao sql|injecao de sql|injecao de codigo|injecao de comandos|injecao de comando|execucao remota de codigo|execucao de codigo remoto|" +
			"execucao de codigo arbitrario|executar codigo arbitrario|executar comandos arbitrarios|travessia de diretorio|leitura arbitraria de arquivos|" +
			"ler arquivos arbitrarios|bypass de autenticacao|contornar a autenticacao|burlar a autenticacao|escalacao de privilegios|escalonamento de privilegios|" +
			"elevacao de privilegios|desserializacao insegura|redirecionamento aberto|estouro de buffer|xss armazenado|xss refletido|sequestro de sessao|" +
			"iniezione sql|esecuzione di codice remoto|esecuzione di codice arbitrario"},
		{gGeneric, 2, "vulnerabilidad|vulnerabilidade|vulnerabilidades|vulnerabilita|fallo de seguridad|falla de seguridad|agujero de seguridad|" +
			"problema de seguridad|brecha de seguridad|falha de seguranca|problema de seguranca|brecha de seguranca|falla di sicurezza|" +
			"vulneravel|vulnerable a|explotable|explotar|explorar a falha|exploravel|vulnerabilidad de seguridad|vulnerabilidade de seguranca"},
		{gAttacker, 2, "un atacante|el atacante|atacante|atacante puede|permite a un atacante|atacante podria|usuario malicioso|um atacante|o atacante|atacante pode|" +
			"permite que um atacante|atacante remoto|usuario mal intencionado|un attaccante|cualquier usuario puede|qualquer usuario pode|cualquiera puede|qualquer um pode|" +
			"usuario no autenticado|usuario nao autenticado|sin autenticacion|sem autenticacao|sin autorizacion|sem autorizacao"},
		{gImpact, 2, "robar cookies|robar la sesion|robar sesiones|robar credenciales|leer cualquier archivo|volcar la base|volcar toda la base|acceder a los datos|datos de otros usuarios|otros usuarios|" +
			"facturas de otros|roubar cookies|roubar sessoes|roubar credenciais|ler qualquer arquivo|dados de outros usuarios|outros usuarios|outro usuario|otro usuario|tomar el control|assumir o controle|" +
			"toda la base de datos|todo o banco de dados|extraer datos|extrair dados|base de datos completa"},
		{gMech, 2, "no se valida|sin validar|sin sanitizar|sin filtrar|no se sanitiza|no se escapa|no valida|se concatena|concatena directamente|nao e validado|sem validacao|sem validar|sem sanitizar|sem filtrar|nao sanitiza|" +
			"nao valida|e concatenado|concatenado diretamente|directamente en la consulta|diretamente na consulta|cambiando el id|cambiar el id|alterando o id|mudando o id|alterar o id|no verifica|nao verifica"},
		{gPoC, 2, "prueba de concepto|prova de conceito|pasos para reproducir|passos para reproduzir"},
		{gContact, 3, "como puedo reportar|como reportar|reportar de forma privada|de forma privada|en privado|de manera privada|canal privado|contacto de seguridad|a quien puedo contactar|" +
			"como posso reportar|como reportar de forma|em privado|de maneira privada|contato de seguranca|com quem posso|divulgacion responsable|divulgacao responsavel|en forma privada|forma segura"},
		// French
		{gType, 3, "injection sql|injection de code|injection de commandes|injection de commande|execution de code a distance|execution de code arbitraire|executer du code arbitraire|" +
			"executer des commandes arbitraires|traversee de repertoire|traversee de repertoires|traversee de chemin|lecture arbitraire de fichiers|lire des fichiers arbitraires|contournement de l authentification|" +
			"contournement authentification|contournement de lauthentification|contourner lauthentification|contourner l authentification|elevation de privileges|escalade de privileges|redirection ouverte|depassement de tampon|deserialisation non securisee|xss stockee|xss stocke|" +
			"faille xss|faille sql|faille csrf|prise de controle de compte|vol de session"},
		{gGeneric, 2, "faille de securite|faille|failles de securite|vulnerabilite|vulnerabilite de securite|probleme de securite|trou de securite|exploiter cette"},
		{gAttacker, 2, "un attaquant|attaquant|lattaquant|attaquant peut|permet a un attaquant|attaquant distant|un pirate|pirate|pirates|utilisateur malveillant|nimporte qui peut|tout utilisateur peut|sans authentification|sans etre authentifie|non authentifie|utilisateur non authentifie"},
		{gImpact, 2, "voler les cookies|voler la session|voler des sessions|voler les sessions|lire nimporte quel fichier|dautres utilisateurs|autres utilisateurs|dun autre utilisateur|toute la base de donnees|extraire la base|prendre le controle|acceder aux donnees"},
		{gMech, 2, "sans validation|sans verification|sans echappement|nest pas echappe|nest pas filtre|nest pas valide|pas filtre|concatene|directement concatene|directement dans la requete|en changeant lid|en modifiant lid|changer lid|ne verifie pas|pas verifiee"},
		{gPoC, 2, "preuve de concept|etapes pour reproduire"},
		{gContact, 3, "comment signaler|comment puis je signaler|signaler en prive|de maniere privee|de facon privee|en prive|canal prive|contact securite|contact de securite|divulgation responsable|qui contacter|a qui madresser"},
	}
}

// german are the phrases of German and Dutch, whose compounds need listing one by one.
func german() []entry {
	return []entry{
		{gType, 3, "sql einschleusung|sql injektion|codeausfuhrung|remote codeausfuhrung|codeausfuehrung|beliebigen code ausfuhren|beliebigen code|beliebiger code|beliebige befehle|beliebigen befehl|befehlsinjektion|befehlseinschleusung|pfadtraversierung|verzeichniswechsel|" +
			"beliebige dateien lesen|beliebige dateien|authentifizierung umgehen|authentifizierung umgangen|umgehung der authentifizierung|anmeldung umgehen|anmeldung umgangen|rechteausweitung|rechteeskalation|pufferuberlauf|pufferueberlauf|heap uberlauf|unsichere deserialisierung|offene weiterleitung|gespeichertes xss|gespeicherte xss|kontoubernahme"},
		{gGeneric, 2, "sicherheitslucke|sicherheitsluecke|sicherheitslucken|schwachstelle|schwachstellen|sicherheitsproblem|sicherheitsleck|verwundbar|angreifbar|ausnutzbar|ausgenutzt|kwetsbaarheid|beveiligingslek"},
		{gAttacker, 2, "ein angreifer|angreifer|angreifer kann|angreifer konnen|erlaubt es einem angreifer|ermoglicht einem angreifer|ermoglicht es angreifern|boswilliger|bosartige|jeder kann|jeder benutzer kann|ohne authentifizierung|ohne anmeldung|nicht authentifizierter|ohne berechtigung"},
		{gImpact, 2, "cookies stehlen|sitzung stehlen|sitzungen stehlen|daten auslesen|datenbank auslesen|gesamte datenbank|anderer benutzer|anderer nutzer|fremde rechnungen|fremde daten|fremder|konto ubernehmen|kontrolle ubernehmen"},
		{gMech, 2, "ungefiltert|ungepruft|nicht validiert|ohne prufung|nicht maskiert|nicht escaped|nicht gepruft|nicht gefiltert|nicht bereinigt|direkt in die abfrage|id andern|id andert|die id in der url|andert man die|durch andern der|zusammengesetzt|uberpruft nicht|nicht uberpruft"},
		{gPoC, 2, "machbarkeitsnachweis|schritte zum reproduzieren"},
		{gContact, 3, "wie kann ich eine sicherheitslucke melden|sicherheitslucke melden|vertraulich melden|privat melden|vertraulich|sicherheitskontakt|an wen kann ich mich wenden|an wen wende ich mich|ansprechpartner|privater kanal|privaten kanal|nicht offentlich"},
	}
}

// slavic are the phrases of Russian, with some Ukrainian and Polish, in the cases that sentences use; and of a few others.
func slavic() []entry {
	return []entry{
		{gType, 3, "sql инъекция|sql инъекции|sql инъекцию|sql инъекций|внедрение sql|внедрение кода|внедрение команд|инъекция|инъекция команд|межсайтовый скриптинг|межсайтовое выполнение сценариев|хранимая xss|хранимый xss|отраженная xss|" +
			"удаленное выполнение кода|удаленного выполнения кода|удаленному выполнению кода|выполнение произвольного кода|выполнить произвольный код|выполнения произвольного кода|произвольный код|произвольные команды|произвольных команд|обход каталога|обход каталогов|обход пути|" +
			"чтение произвольных файлов|произвольные файлы|произвольный файл|обход аутентификации|обойти аутентификацию|обход авторизации|обойти авторизацию|повышение привилегий|подделка запросов|небезопасная десериализация|десериализация|переполнение буфера|открытое перенаправление|захват аккаунта|" +
			"sql ін єкція|sql інєкція|віддалене виконання коду"},
		{gGeneric, 2, "уязвимость|уязвимости|уязвимостей|уязвим|уязвима|уязвимо|уязвимый|уязвимостью|дыра в безопасности|проблема безопасности|брешь|эксплойт|эксплуатации|вразливість|podatnosc|luka bezpieczenstwa"},
		{gAttacker, 2, "злоумышленник|злоумышленнику|злоумышленники|злоумышленником|атакующий|атакующему|хакер|взломщик|любой пользователь|любой может|неавторизованный|неаутентифицированный|без аутентификации|без авторизации|без проверки|зловмисник"},
		{gImpact, 2, "украсть|похитить|кража|чужие|чужой|чужих|других пользователей|другого пользователя|всю базу|дамп базы|получить доступ|получает доступ|прочитать любой файл|захватить|полный контроль"},
		{gMech, 2, "не проверяется|не фильтруется|не экранируется|не валидируется|подставляется|конкатенация|без фильтрации|без экранирования|напрямую в запрос|изменив id|поменять id|меняя id|подменив id|сменить id|не проверяет"},
		{gPoC, 2, "доказательство концепции|шаги воспроизведения|шаги для воспроизведения|полезная нагрузка"},
		{gContact, 3, "как сообщить|куда сообщить|сообщить об уязвимости|сообщить приватно|приватно|конфиденциально|приватный канал|с кем связаться|к кому обратиться|не публично|ответственное раскрытие"},
		// Vietnamese, Turkish, Indonesian
		{gGeneric, 2, "lo hong|lo hong bao mat|guvenlik acigi|zafiyet|kerentanan|celah keamanan"},
		{gMech, 2, "khong kiem role|khong kiem tra quyen|khong xac thuc|kimlik dogrulama olmadan|tanpa autentikasi"},
		{gAttacker, 2, "ke tan cong|saldirgan|penyerang"},
		{gFeature, 2, "seria bueno|solicitud de funcion|seria bom|solicitacao de recurso|il serait bien|demande de fonctionnalite|ware schon|wunsch|feature wunsch|добавить поддержку|хотелось бы|задача|описание задачи"},
	}
}

// eastern are the phrases of Chinese, Japanese and Korean, in which every character is a token.
func eastern() []entry {
	return []entry{
		{gType, 3, "sql注入|注入漏洞|sql 注入|命令注入|代码注入|命令执行|代码执行|远程代码执行|任意代码执行|任意命令执行|远程命令执行|跨站脚本|存储型xss|反射型xss|存储型 xss|反射型 xss|跨站请求伪造|路径穿越|目录穿越|路径遍历|目录遍历|任意文件读取|任意文件写入|任意文件上传|任意文件删除|任意文件下载|文件包含漏洞|" +
			"反序列化漏洞|反序列化|越权|水平越权|垂直越权|越权访问|未授权访问|未授权|权限绕过|认证绕过|身份验证绕过|绕过身份验证|绕过登录|绕过认证|绕过鉴权|权限提升|提权|服务端请求伪造|服务器端请求伪造|开放重定向|原型链污染|原型污染|缓冲区溢出|堆溢出|栈溢出漏洞|释放后使用|会话固定|沙箱逃逸|签名绕过|密钥泄露|私钥泄露|敏感信息泄露|信息泄露|硬编码密钥|弱口令|文件上传漏洞"},
		{gType, 3, "任意檔案|遠端程式碼執行|注入攻擊|跨站腳本|跨站請求偽造|路徑遍歷|未授權存取|權限提升"},
		{gGeneric, 2, "漏洞|安全漏洞|安全问题|安全隐患|存在漏洞|高危|严重漏洞|安全缺陷|安全風險|安全问题反馈|可被利用|被利用"},
		{gAttacker, 2, "攻击者|攻击者可以|攻击者可|黑客|恶意用户|恶意构造|恶意请求|攻擊者|任意用户|任何人都可以|任何用户|普通用户|无需登录|无需认证|未登录|不需要登录|未经授权|无需授权"},
		{gImpact, 2, "窃取|盗取|获取服务器权限|getshell|获取权限|其他用户|他人|读取任意|服务器权限|接管|拖库|获取数据库|敏感数据|敏感信息|任意用户的"},
		{gMech, 2, "未做过滤|没有过滤|未过滤|未进行过滤|没有做过滤|未校验|没有校验|未做校验|未验证|没有验证|直接拼接|拼接|可控|参数可控|用户可控|未鉴权|没有鉴权|过滤不严|校验不严|修改id|更改id|遍历id"},
		{gPoC, 2, "复现|漏洞复现|复现步骤|抓包|漏洞证明|验证过程|利用过程|利用方式|漏洞利用|payload如下|概念验证"},
		{gForm, 1.5, "漏洞描述|漏洞详情|漏洞分析|漏洞位置|漏洞类型|影响版本|漏洞危害|影响范围|修复建议|漏洞成因|危害"},
		{gContact, 3, "私下|私密|私下报告|如何报告|怎么报告|如何提交漏洞|方便提交安全漏洞|提交安全漏洞|联系方式|联系邮箱|安全邮箱|如何联系|怎么联系|私信|不公开|负责任披露|非公开"},
		{gTool, 2.5, "相关主题|收集|学习|教程|靶场|实例收集|笔记|文章|资料|误报|博客"},
		{gFeature, 2, "希望|建议增加|增加功能|功能请求|请求支持|支持一下|需求|能否支持|文档"},
		{gFixed, 2.5, "已修复|已经修复|修复了|已在"},
		{gType, 3, "sqlインジェクション|コマンドインジェクション|コードインジェクション|クロスサイトスクリプティング|クロスサイトリクエストフォージェリ|リモートコード実行|任意のコード|任意コード実行|任意のコマンド|パストラバーサル|ディレクトリトラバーサル|任意のファイル|認証バイパス|認証回避|認証を回避|認証をバイパス|権限昇格|オープンリダイレクト|バッファオーバーフロー|安全でないデシリアライズ|デシリアライゼーション|格納型xss|蓄積型xss|セッションハイジャック|不正アクセス"},
		{gGeneric, 2, "脆弱性|セキュリティ上の問題|セキュリティホール|セキュリティの問題|脆弱|悪用"},
		{gAttacker, 2, "攻撃者|悪意のある|悪意ある|第三者が|誰でも|認証なし|ログインせずに|未認証"},
		{gImpact, 2, "盗む|盗まれ|他のユーザー|他人の|乗っ取|漏洩|全データ|取得できてしま|閲覧できてしま|読み取れ|読み取る"},
		{gMech, 2, "エスケープされて|エスケープせずに|サニタイズされて|検証されて|検証せずに|検証していない|そのまま連結|連結され|idを変更|idを変える|チェックしていない"},
		{gPoC, 2, "再現手順|概念実証|実証コード"},
		{gContact, 3, "非公開で報告|報告方法|どこに報告|報告先|連絡先|どのように報告|プライベートに|非公開で"},
		{gType, 3, "sql 인젝션|인젝션|크로스 사이트 스크립팅|원격 코드 실행|임의 코드 실행|경로 탐색|디렉터리 탐색|인증 우회|권한 상승|버퍼 오버플로"},
		{gGeneric, 2, "취약점|보안 취약점|보안 문제|취약"},
		{gAttacker, 2, "공격자|악의적인|해커|누구나|인증 없이|로그인 없이"},
		{gImpact, 2, "탈취|다른 사용자|유출"},
		{gContact, 3, "비공개로|어떻게 신고|제보|연락처"},
	}
}
