using System.Collections.Frozen;

namespace Footfall.Leads;

/// <summary>Hosts where anybody gets an address for nothing. An address elsewhere is taken for one of a business.</summary>
internal static class FreeMailHosts
{
    private const string List = """
        gmail.com googlemail.com outlook.com hotmail.com live.com msn.com passport.com
        hotmail.ca hotmail.co.uk hotmail.de hotmail.es hotmail.fr hotmail.it hotmail.com.br live.ca live.co.uk live.fr live.nl live.de live.it outlook.de outlook.es outlook.fr
        yahoo.com ymail.com rocketmail.com yahoo.ca yahoo.co.uk yahoo.co.in yahoo.co.jp yahoo.com.au yahoo.com.br yahoo.com.mx yahoo.de yahoo.es yahoo.fr yahoo.in yahoo.it
        icloud.com me.com mac.com aol.com aim.com
        proton.me protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tuta.com tuta.io keemail.me
        gmx.com gmx.net gmx.de gmx.at gmx.ch gmx.fr web.de freenet.de t-online.de mail.com email.com mail.de posteo.de mailbox.org fastmail.com fastmail.fm hushmail.com zoho.com zohomail.com
        mail.ru bk.ru inbox.ru list.ru internet.ru yandex.ru yandex.com ya.ru rambler.ru ukr.net i.ua
        orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr libero.it virgilio.it tiscali.it alice.it tin.it
        wp.pl o2.pl interia.pl onet.pl gazeta.pl seznam.cz email.cz centrum.cz azet.sk abv.bg mail.bg freemail.hu citromail.hu
        qq.com foxmail.com 163.com 126.com yeah.net sina.com sina.cn sohu.com aliyun.com 139.com naver.com daum.net hanmail.net nate.com
        rediffmail.com uol.com.br bol.com.br terra.com.br ig.com.br
        bell.net sympatico.ca rogers.com shaw.ca telus.net videotron.ca cogeco.ca eastlink.ca
        comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net juno.com
        btinternet.com sky.com virginmedia.com talktalk.net ntlworld.com bigpond.com optusnet.com.au xtra.co.nz telenet.be skynet.be ziggo.nl kpnmail.nl planet.nl home.nl bluewin.ch hispeed.ch
        """;

    public static readonly FrozenSet<string> All = List.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>For a statement's parameter.</summary>
    public static readonly string[] Names = [.. All];
}
