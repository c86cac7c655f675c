"""Sentences in languages whose text payloads hold, as UTF-8. Written for this project."""

from typing import Final

SENTENCES: Final = {
    "en": """Welcome to our restaurant. Please scan the code to see the menu. Thank you for your visit! This ticket is valid
for one person only. Keep this card in a safe place. For more information visit our website or call us. During the day,
the door on the left is used as the entrance. The quick brown fox jumps over the lazy dog. Opening hours: Monday to Friday
9 am - 5 pm. Your order has been received and will be sent within 2 days. The part number and the serial number are printed
on the back. Please do not remove this label. He said that there were more than 25 people in the room, and that they would
have been there since the morning. It is one of the best ways to learn what can be done with it. The first version was
released in 2011 and has since been used by many companies all over the world. We hope you enjoy the show. What would you
like to know? If you have any questions, ask a member of our staff. Made in Japan. All rights reserved. Copyright 2012. This
is a test. Hello world! Try it now, it is free. You can also use your phone to pay. Meet me at the station at noon. Best
before end: see lid. Warning: hot surface. From the top of the hill one could see the river and the town with its old
churches. A new kind of machine, which nobody had seen before, was shown to the public. Every child knows that story. How
much is it? She will call you later today. Store in a cool dry place. Room 214, second floor. Table 12.""",
    "de": """Willkommen in unserem Museum. Bitte scannen Sie den Code für weitere Informationen. Vielen Dank für Ihren Besuch!
Öffnungszeiten: Montag bis Freitag von 9 bis 18 Uhr, samstags geschlossen. Die Eintrittskarte ist nicht übertragbar. Über
uns: Wir sind ein Verein mit mehr als hundert Mitgliedern. Gültig bis 31.12. Größe und Gewicht stehen auf der Rückseite. Das
ist ein Test. Ihre Rechnung finden Sie im Anhang. Schöne Grüße aus den Bergen. Nächste Haltestelle: Hauptbahnhof, Straße des
Friedens. Wenn die Tür geöffnet wird, ertönt ein Signal. Zahlung des Rechnungsbetrags ohne Abzug. Müllerstraße, Königsplatz.""",
    "fr": """Bienvenue à notre hôtel. Scannez ce code pour découvrir le menu du jour. Merci de votre visite, à bientôt ! Le billet
est valable une journée. Où se trouve l'entrée ? Les enfants de moins de six ans ne paient pas. Plus d'informations sur notre
site. Votre commande a été expédiée. Rendez-vous à l'accueil du musée, côté jardin. Été comme hiver, nous sommes ouverts tous
les jours sauf le lundi. C'est une très belle idée. Numéro de série, référence, quantité et prix.""",
    "es": """Bienvenido a nuestra tienda. Escanee el código para ver la carta. ¡Gracias por su visita! El horario es de lunes a
viernes de 10 a 20 h. ¿Dónde está la estación? La entrada es válida para una persona. Más información en nuestra página. El
niño comió una manzana por la mañana. Número de teléfono y dirección. Descarga la aplicación y gana premios cada día. Año
nuevo, vida nueva. Calle Mayor, España.""",
    "it": """Benvenuti nel nostro ristorante. Inquadra il codice per leggere il menù. Grazie della visita! Il biglietto è valido
per un solo giorno. Più informazioni sul sito. La città è bella perché c'è il mare. Orario di apertura: dal lunedì al venerdì.
Via Garibaldi, piazza del Duomo. Numero di telefono e codice fiscale. Che cosa vuoi sapere?""",
    "pt": """Bem-vindo à nossa loja. Leia o código para ver a ementa. Obrigado pela sua visita! O bilhete é válido para uma pessoa.
Não perca a promoção de verão. Informações e reservas pelo telefone. São Paulo é a maior cidade do Brasil. Você também pode
pagar com o cartão. Atenção: piso molhado. Rua das Flores, número dez.""",
    "nl": """Welkom in ons museum. Scan de code voor meer informatie. Bedankt voor uw bezoek! Het kaartje is geldig voor één persoon.
Openingstijden van maandag tot en met vrijdag. Waar is het station? Wij bezorgen gratis vanaf twintig euro. Uw bestelling is
onderweg. Vragen? Bel ons of stuur een bericht.""",
    "pl": """Witamy w naszym sklepie. Zeskanuj kod, aby zobaczyć menu. Dziękujemy za wizytę! Bilet jest ważny przez jeden dzień. Gdzie
jest dworzec? Więcej informacji na stronie. Łódź, Kraków, Gdańsk. Proszę nie usuwać tej etykiety. Zamówienie zostało wysłane.""",
    "cs": """Vítejte v našem muzeu. Naskenujte kód pro více informací. Děkujeme za návštěvu! Vstupenka platí pro jednu osobu. Příští
zastávka je hlavní nádraží. Žluťoučký kůň, číslo účtu, částka k úhradě.""",
    "hu": """Üdvözöljük éttermünkben. Olvassa be a kódot a menühöz. Köszönjük a látogatást! A jegy egy személyre érvényes. További
információ a honlapunkon. Győr, Budapest, utca, megrendelés.""",
    "ro": """Bine ați venit la restaurantul nostru. Scanați codul pentru meniu. Vă mulțumim pentru vizită! Biletul este valabil pentru
o persoană. Informații și rezervări.""",
    "sv": """Välkommen till vårt museum. Skanna koden för mer information. Tack för ert besök! Biljetten gäller för en person. Öppet
måndag till fredag. Nästa hållplats är centralstationen. På svenska går det också bra. Kød og fisk, øl og brød, blåbær på
fjellet. Tak for besøget, vi ses igen i næste uge. Tervetuloa, kiitos käynnistä, avoinna päivittäin.""",
    "tr": """Restoranımıza hoş geldiniz. Menüyü görmek için kodu okutun. Ziyaretiniz için teşekkürler! Bilet bir kişi için geçerlidir.
Daha fazla bilgi için sitemize bakın. İstanbul, güneş, çocuk, şehir, ağaç.""",
    "vi": """Chào mừng bạn đến với nhà hàng của chúng tôi. Quét mã để xem thực đơn. Cảm ơn quý khách! Vé có giá trị cho một người.
Thông tin chi tiết trên trang web. Việt Nam, Hà Nội, đường phố.""",
    "ru": """Добро пожаловать в наш музей. Отсканируйте код, чтобы узнать больше. Спасибо за покупку! Билет действителен на одного
человека. Часы работы: с понедельника по пятницу. Следующая станция. Оплата услуг по счету. Москва, Санкт-Петербург, улица
Ленина, дом, квартира. Номер телефона и адрес доставки. Это проверка.""",
    "uk": """Ласкаво просимо до нашого музею. Скануйте код, щоб дізнатися більше. Дякуємо за покупку! Квиток дійсний для однієї особи.
Наступна зупинка. Київ, Львів, вулиця, їжа.""",
    "el": """Καλώς ήρθατε στο εστιατόριό μας. Σαρώστε τον κωδικό για τον κατάλογο. Ευχαριστούμε για την επίσκεψη! Το εισιτήριο ισχύει
για ένα άτομο. Περισσότερες πληροφορίες στην ιστοσελίδα μας.""",
    "ar": """مرحبا بكم في مطعمنا. امسح الرمز لعرض القائمة. شكرا لزيارتكم. التذكرة صالحة لشخص واحد. لمزيد من المعلومات زوروا موقعنا.
رقم الهاتف والعنوان.""",
    "he": """ברוכים הבאים למסעדה שלנו. סרקו את הקוד לצפייה בתפריט. תודה על הביקור. הכרטיס תקף לאדם אחד. מידע נוסף באתר.""",
    "hi": """हमारे रेस्टोरेंट में आपका स्वागत है। मेनू देखने के लिए कोड स्कैन करें। धन्यवाद। अधिक जानकारी के लिए वेबसाइट देखें।""",
    "th": """ยินดีต้อนรับสู่ร้านอาหารของเรา สแกนโค้ดเพื่อดูเมนู ขอบคุณที่มาเยี่ยมชม ข้อมูลเพิ่มเติมที่เว็บไซต์""",
    "ja": """ようこそ当店へ。メニューはこちらのコードを読み取ってください。ご来店ありがとうございます。入場券は一名様のみ有効です。詳しくはホームページをご覧ください。
営業時間は月曜日から金曜日までです。東京都、大阪市、京都、駅前、会社、電話番号、住所。テスト、アンケート、キャンペーン、クーポン、ダウンロード。
携帯電話で読み取ると簡単にアクセスできます。お問い合わせ先、株式会社、商品の情報、新しい、使い方。""",
    "zh": """欢迎光临本店。请扫描二维码查看菜单。谢谢您的光临！门票仅限一人使用。更多信息请访问我们的网站。营业时间为周一至周五。
北京市，上海，广州，公司，电话号码，地址，微信，支付宝，关注公众号，下载应用，产品名称，生产日期，有限公司。
歡迎光臨本店，請掃描條碼查看菜單，謝謝您的光臨，更多資訊請參閱網站，臺北市，電話，地址，發票號碼。""",
    "ko": """저희 식당에 오신 것을 환영합니다. 메뉴를 보려면 코드를 스캔하세요. 방문해 주셔서 감사합니다. 입장권은 한 명만 유효합니다.
자세한 정보는 홈페이지를 참조하세요. 서울특별시, 전화번호, 주소, 주식회사.""",
}  # fmt: skip

BLOCKS: Final = (
    (0x00C0, 0x017F), (0x0370, 0x03FF), (0x0400, 0x045F), (0x05D0, 0x05EA), (0x0621, 0x064A), (0x0905, 0x0939),
    (0x0985, 0x09B9), (0x0B85, 0x0BB9), (0x0E01, 0x0E4B), (0x10D0, 0x10F0), (0x2010, 0x203A), (0x3041, 0x3096),
    (0x30A1, 0x30FC), (0x4E00, 0x9FA5), (0xAC00, 0xD7A3), (0xFF01, 0xFF9D), (0x1F300, 0x1F64F),
)  # fmt: skip
"""Ranges of Unicode from which random characters are drawn, so that no script is impossible."""
