"""Words, names of hosts and places for payloads. Written for this project; no personal data."""

from typing import Final


def listed(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


COMMON: Final = listed("""
about account action active ad add address admin adventure advice agency agenda air album alert all amazing
android animal answer api app apple apply archive area art article artist asset audio author auto award baby
back bag bank bar base basic basket bath beach beauty bed beer best beta bike bill bio bird black blog blue
board boat body bonus book booking boot box brand bread breakfast bridge brochure browser budget build building
bus business button buy cafe cake calendar call camera camp campaign campus car card care career cart case cash
cat catalog catalogue category center central centre certificate challenge change channel charge charity chart
chat check checkin checkout chef child choice christmas church cinema city claim class classic clean click
client clinic clock cloud club coach code coffee collect collection college color comment community company
compare concert conference config connect contact content contest contract cookie cooking copy corner corporate
count country coupon course cover craft create credit culture cup currency custom customer daily dance dark data
date day deal dealer default delivery demo dental design desk detail details device diary dictionary diet
digital dinner direct directory discount discover display doc doctor docs document dog donate door download
draft dream dress drink drive driver drop easy edit education electric electronics email employee energy engine
english enter entry equipment error estate event events example exchange exhibit expert explore export express
extra face factory faq farm fashion fast feature feed feedback festival file film filter final finance find fire
first fish fit fitness flight floor flower follow food football foot form forms forum forward foundation frame
free fresh friend front fruit fuel full fun furniture future gallery game garage garden gas gate general gift
girl glass global go gold golf good grand green grill ground group guest guide gym hair hall hand happy hard
head health hello help hero high hill history hit holiday home hope horse hospital host hot hotel house how html
human ice id idea image images index indoor industry info information inn input insight install institute
insurance international internet invite invoice island issue item japan jewelry job jobs join journal juice jump
just key kids kitchen kit lab label lake land landing language large last latest law lead learn learning legal
lesson letter level library license life light limited line link list lite live load loan local location lock
log login logo lost lottery love loyalty lunch machine magazine mail main make mall man manage management manual
map maps market marketing master match material meal media medical meet meeting member members membership memory
men menu message metal metro middle mini mint mobile mode model modern money month mother motor mountain move
movie movies museum music my name national natural nature network new news newsletter next night north note
notice number nurse object ocean offer office official oil online open opening option orange order orders
organic original outdoor outlet output own owner pack package page paint panel paper parent park parking part
partner party pass password path patient pay payment people perfect pet phone photo photos php pick picture
pizza place plan planet plant plastic platform play player plus point policy pool popular port portal post
poster power premium present press price print privacy prize pro process product products profile program
project promo promotion property protect public publish purchase qr quality question quick quiz radio rain rate
read reader ready real receipt recipe record recycle red redirect refer register registration release remote
rent repair reply report request rescue research reservation resort resource response rest restaurant result
retail return review reward ride right river road rock room root rose route royal rule run safe safety sale
sales salon sample save scan scanner schedule school science score screen script sea search season seat second
secret section secure security select sell send serial series server service services session set settings share
sharing shipping shirt shoe shop shopping short show sign signup silver simple single site size ski skin sky
sleep small smart snow social soft software solar solution song sound source south space spa special speed sport
sports spring square stadium staff stage standard star start state static station status stay step stock stone
stop storage store story stream street student studio style subscribe success sugar summer sun super supply
support survey sweet swim system table tag target task taste tax taxi tea team tech technology template test
text theme ticket tickets time tips title today token tool tools top tour town toy track tracking trade traffic
train training travel tree trend trial trip truck true trust tv type ultra union unit university update upload
url us use user users vacation valid value verify version video view village vip virtual visa visit voice vote
voucher wall wallet warranty watch water wave way weather web website wedding week welcome west white wifi wiki
wild wind window wine winter wireless wish woman women wood word work world write yellow yes yoga york young
your youth zone zoo
""")

FOREIGN: Final = listed("""
aktion angebot anmeldung apotheke arbeit ausstellung auto bahn bank bau beratung bestellung bild blumen brief
buch bus der die das dem den des ein eine einer eines und oder mit von zum zur auf aus bei nach unser unsere
ihre wir sie ist deutsch deutschland einkauf eintritt essen fahrplan familie fest firma freizeit freunde garten
gemeinde gesundheit gewinnspiel gutschein haus heim hilfe hof hotel jahr jugend karte kaufen kinder kirche
kontakt kosten kultur kunde kunden kunst laden land leben lernen liste markt mein museum nachrichten neu online
park pflege platz preis produkt produkte rechnung reise schule seite shop spiel sport stadt start strasse suche
tag tage team termin termine veranstaltung verein verkauf versand wasser web weg weihnachten welt werk
willkommen wohnung zahlung zeit zeitung zentrum zimmer accueil achat acheter adresse aide annonce appartement
atelier avec avis bienvenue billet boutique cadeau carte centre chez client commande compte connexion cours
cuisine dans des du eau ecole emploi enfant entreprise est et fete fiche formation france gratuit jardin jeu
jour journal la le les liste livraison livre loisirs magasin mairie maison marche mon musee musique notre nous
nouveau offre ou paiement par photo plan pour prix produit promo recette reservation sante service soldes sortie
sur theatre tourisme travail une vente ville vin visite vivre votre voyage abrir ahora amigo ayuda bebida
biblioteca boletos bueno casa centro cine ciudad cliente comida compra comprar con contacto cuenta de del
descarga descuento dia el empresa encuesta entrada entradas escuela espana evento familia fiesta formulario
gobierno gracias hombre inicio inicio joven juego libro lista llamar los mas mejor mercado mujer mundo musica
ninos noticias nuestra nueva oferta pagina pago para perro por precio producto promocion que registro regalo
restaurante salud seguro servicio sitio sobre tarjeta tienda todo trabajo una viaje vida vino acqua amici
azienda biglietti buono caffe calcio carrello casa centro cibo citta come comune contatti corso cucina da della
delle domanda donna estate evento famiglia gioco giorno il italia lavoro libri lista macchina mare menu mercato
mondo moda musica natale negozio notizie nuovo offerta ordine paese pagina parco piazza prenota prezzo prodotti
prodotto regione ricetta salute scuola servizi sito sconto spesa spiaggia squadra storia strada tutto uomo
vacanze vendita viaggi aluguel amigos bairro bem brasil cadastro caminho cardapio carro cidade compras conta
contato dinheiro educacao empresa escola festa ganhe hoje ingresso loja mais melhor mercado mundo musica nossa
noticias oferta pagamento pedido pesquisa portal praia preco produto promocao receita saude seguro servicos sua
trabalho venda viagem vida voce aanbieding aanmelden afspraak agenda auto bedrijf bestellen betalen bezoek boek
contact dag de deel een eten familie feest fiets gemeente gezond gratis het huis inloggen informatie jaar kaart
kind klant korting kopen leven markt menu met mijn muziek nieuws ons onze over plaats prijs reis restaurant
school service site spel stad tijd tuin uit van vacature verkoop voor water welkom werk winkel wonen zoek zorg
aktualnosci bilety dla dom film firma gra informacje jak kino koszyk ksiazka kup lista miasto mapa nasz nowy
oferta opis praca produkt sklep strona szkola wiadomosci zdjecia
""")

BRANDS: Final = listed("""
google youtube facebook instagram twitter x wikipedia amazon apple microsoft github gitlab linkedin whatsapp
telegram tiktok reddit pinterest spotify netflix ebay paypal booking airbnb tripadvisor yelp dropbox adobe
office live bing yahoo wordpress blogspot medium tumblr flickr vimeo twitch discord slack zoom notion canva
shopify wix squarespace etsy alibaba aliexpress taobao weixin qq baidu weibo alipay jd rakuten line naver kakao
yandex vk mail samsung sony nintendo playstation xbox steam nike adidas zara ikea lego mcdonalds starbucks
subway kfc burgerking dominos coca-cola pepsi nestle unilever loreal bmw mercedes-benz audi toyota honda ford
tesla volkswagen shell total bp visa mastercard stripe square revolut wise klarna sumup uber lyft bolt grab dhl
ups fedex usps dpd gls laposte royalmail deutschepost bahn sncf ryanair easyjet lufthansa klm emirates expedia
kayak skyscanner marriott hilton accor ihg bbc cnn nytimes guardian spiegel lemonde elpais corriere nasa who un
europa gov nhs harvard mit stanford oxford cambridge qrcode-generator qr-code qrco qrs me-qr scan linktr
linktree eventbrite meetup ticketmaster eventim surveymonkey typeform jotform mailchimp hubspot salesforce
zendesk trello asana figma python php apache mozilla w3 ietf iso sourceforge stackoverflow npmjs pypi docker
kubernetes ubuntu debian android openstreetmap waze maps.app googleusercontent cloudfront herokuapp netlify
vercel azurewebsites amazonaws githubusercontent firebaseapp
""")

SHORTENERS: Final = listed("""
bit.ly goo.gl t.co tinyurl.com ow.ly is.gd buff.ly rb.gy cutt.ly qrco.de qr.page q-r.to qrs.ly l.ead.me
me-qr.com scan.page linktr.ee youtu.be wa.me t.me fb.me amzn.to a.co g.co g.page forms.gle maps.app.goo.gl
tiny.cc shorturl.at lnkd.in u.wechat.com weixin.qq.com/r qm.qq.com/cgi-bin/qm/qr?k= discord.gg instagr.am ig.me
m.me spoti.fi apple.co delivr.com s.id t.ly dub.sh flow.page qrd.by kaywa.me snapvu.com
""")

# Suffix and its relative frequency.
SUFFIXES: Final = {
    "com": 420, "org": 60, "net": 45, "de": 60, "co.uk": 35, "fr": 25, "it": 22, "es": 18, "nl": 20, "eu": 14, "io": 16,
    "info": 14, "ch": 14, "at": 12, "be": 10, "pl": 14, "ru": 20, "jp": 8, "co.jp": 18, "ne.jp": 3, "or.jp": 3, "cn": 16,
    "com.cn": 8, "com.br": 16, "com.au": 14, "ca": 12, "us": 8, "me": 10, "tv": 6, "app": 10, "co": 12, "in": 9,
    "co.in": 4, "se": 9, "no": 7, "dk": 8, "fi": 6, "cz": 7, "sk": 3, "hu": 5, "ro": 5, "gr": 4, "pt": 6, "ie": 4,
    "com.tr": 5, "com.mx": 6, "com.ar": 5, "cl": 4, "com.co": 3, "pe": 1, "com.sg": 3, "sg": 2, "com.hk": 3, "hk": 2,
    "com.tw": 5, "tw": 2, "kr": 3, "co.kr": 6, "co.id": 4, "id": 2, "co.za": 4, "co.nz": 4, "ac.uk": 4, "gov.uk": 3,
    "org.uk": 4, "edu": 12, "gov": 6, "biz": 3, "shop": 6, "store": 4, "online": 4, "site": 3, "xyz": 4, "club": 2,
    "dev": 5, "link": 4, "page": 4, "to": 3, "ly": 2, "cc": 2, "mobi": 2, "cloud": 2, "tech": 2, "ai": 4, "gg": 1,
    "lu": 1, "lt": 1, "lv": 1, "ee": 2, "si": 1, "hr": 2, "rs": 2, "bg": 1, "ua": 2, "com.ua": 2, "kz": 1, "il": 1,
    "co.il": 2, "ae": 2, "sa": 1, "com.sa": 1, "th": 1, "co.th": 2, "com.my": 2, "com.ph": 1, "vn": 1, "com.vn": 2,
    "gob.mx": 1, "gouv.fr": 1, "admin.ch": 1, "go.jp": 1, "ac.jp": 1, "berlin": 1, "swiss": 1, "museum": 1, "travel": 1,
}  # fmt: skip

PLACES: Final = listed("""
Amsterdam Athens Auckland Bangkok Barcelona Basel Beijing Berlin Bern Birmingham Bordeaux Boston Bremen Brisbane
Brussels Budapest Cairo Calgary Chicago Copenhagen Dallas Delhi Denver Dresden Dublin Edinburgh Essen Florence
Frankfurt Geneva Genoa Glasgow Hamburg Hannover Helsinki Houston Istanbul Jakarta Johannesburg Kyoto Lausanne
Leeds Leipzig Lille Lima Lisbon Liverpool London Lyon Madrid Manchester Manila Marseille Melbourne Miami Milano
Montreal Moscow Mumbai Munich Nagoya Nantes Naples Nice Osaka Oslo Ottawa Palermo Paris Perth Portland Porto
Praha Roma Rotterdam Salzburg Seattle Seoul Sevilla Shanghai Singapore Stockholm Stuttgart Sydney Taipei Tokyo
Torino Toronto Toulouse Utrecht Valencia Vancouver Venezia Vienna Warszawa Washington Wellington Wien Zagreb
Zurich
""")

GIVEN: Final = listed("""
Alex Anna Ben Carla Chris Clara Daniel David Elena Emma Eva Felix Hannah Ivan Jan Jane John Julia Kim Laura Lena
Leo Linda Lisa Lucas Maria Mario Mark Martin Max Maya Mia Michael Nina Noah Olga Oscar Paul Peter Robert Sam
Sara Sofia Thomas Tim Tom Victor
""")

FAMILY: Final = listed("""
Doe Smith Jones Miller Muster Mustermann Brown Martin Bernard Rossi Garcia Meier Schmidt Becker Fischer Weber
Novak Silva Santos Jansen Visser Larsen Hansen Nielsen Kowalski Nowak Tanaka Suzuki Sato Wang Li Zhang Chen Kim
Lee Park Kumar Singh
""")
"""Some of the most frequent names; they mean no person."""
